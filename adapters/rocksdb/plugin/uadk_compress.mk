# What RocksDB's build takes from this directory. Its CMake reads this file, too,
# and needs the spaces as they are.
uadk_compress_SOURCES = register.cc codecs.cc engines.cc compressor.cc shim/manager.cc
uadk_compress_HEADERS = uadk_compress_plugin.h
uadk_compress_FUNC = uadk_compress_plugin_register
uadk_compress_PKGCONFIG_REQUIRES = uadk_compress
