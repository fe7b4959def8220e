// Is this replica ready? For the container's HEALTHCHECK: the port of LOCKSTEP_HTTP, over HTTPS when the replica has a certificate.
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

const {
  LOCKSTEP_HTTP = '0.0.0.0:7100',
  LOCKSTEP_TLS_AUTHORITY,
  LOCKSTEP_TLS_CERTIFICATE,
  LOCKSTEP_TLS_KEY,
} = process.env;
const port = LOCKSTEP_HTTP.slice(LOCKSTEP_HTTP.lastIndexOf(':') + 1);
const isTls = LOCKSTEP_TLS_CERTIFICATE !== undefined;
const address = { host: '127.0.0.1', port, path: '/ready', timeout: 2_500 };
const options = isTls
  ? {
      ...address,
      servername: 'localhost',
      ca: readFileSync(LOCKSTEP_TLS_AUTHORITY),
      cert: readFileSync(LOCKSTEP_TLS_CERTIFICATE),
      key: readFileSync(LOCKSTEP_TLS_KEY),
    }
  : address;
const sent = (isTls ? tlsRequest : plainRequest)(options, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1));
sent.on('timeout', () => process.exit(1));
sent.on('error', () => process.exit(1));
sent.end();
