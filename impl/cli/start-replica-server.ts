/** Where the command line gets the server from. Mirrors no spec module. */
import type { StartReplicaServer } from '../server/server-config.ts';

export const startReplicaServer: StartReplicaServer = () => Promise.reject(new Error('the server is not built yet'));
