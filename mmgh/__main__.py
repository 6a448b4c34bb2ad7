"""Does what the command does: python -m mmgh COMMAND."""
from .command import main

if __name__ == '__main__':
    main()
