"""One record a data set; the tool finds each by its name."""
from .domainnet import DOMAINNET
from .mnist import MNIST
from .mnist_m import MNIST_M
from .office31 import OFFICE31
from .office_home import OFFICE_HOME
from .svhn import SVHN
from .usps import USPS
from .visda2017 import VISDA2017

DATA_SETS = {
    data_set.name: data_set
    for data_set in (OFFICE31, OFFICE_HOME, VISDA2017, DOMAINNET, MNIST, USPS,
                     SVHN, MNIST_M)
}

__all__ = ['DATA_SETS']
