/** Where docker-pkg keeps its log: in the folder that it is started in, be that a definition's. It grows while images are built, and is never a part of one. */
export const DOCKER_PKG_LOG_FILE = 'docker-pkg-build.log';
