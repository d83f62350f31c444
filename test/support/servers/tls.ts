/** The simulators' HTTPS certificate: self-signed, for `localhost` and 127.0.0.1. */
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** PEM texts; pass `cert` as `ca` to trust it. */
export const testCertificate = (): { key: string; cert: string } => {
	const read = (name: string): string =>
		fs.readFileSync(path.join(process.cwd(), 'test', 'fixtures', 'tls', name), 'utf8');
	return { key: read('key.pem'), cert: read('cert.pem') };
};
