/**
 * A stand-in for npm's public registry that holds the packages a test publishes, and nothing else.
 *
 * n8n installs community packages from that address; another one is a licensed setting. So the test keeps n8n as it comes and puts this in
 * the place of the Internet: n8n and its npm get a proxy that leads every connection here, and trust a certificate made for that name.
 */
import { createHash, X509Certificate } from 'node:crypto';

import { fs, http, net, path, process, tls, zlib } from '../support/node';

const FIXTURES = path.join(process.cwd(), 'test', 'fixtures', 'tls');
/** The name that the certificate was made for is the one n8n asks. */
const HOST = /CN=(\S+)/.exec(new X509Certificate(fs.readFileSync(path.join(FIXTURES, 'registry-cert.pem'))).subject)![1]!;

export interface NpmRegistry {
	/** Environment for a process that shall take this for the registry. */
	readonly env: Record<string, string>;
	/** `METHOD path` of every request, in order. */
	readonly requests: readonly string[];
	/** Adds a version; the last one published is `latest`. */
	publish(tarball: string): void;
	close(): Promise<void>;
}

interface Version {
	manifest: Record<string, unknown> & { name: string; version: string };
	bytes: Buffer;
}

export async function startNpmRegistry(): Promise<NpmRegistry> {
	const packages = new Map<string, Version[]>();
	const requests: string[] = [];
	const sockets = new Set<net.Socket>();
	const keep = (socket: net.Socket) => {
		sockets.add(socket);
		socket.on('error', () => socket.destroy());
		socket.on('close', () => sockets.delete(socket));
	};

	const registry = http.createServer((request, response) => {
		const target = decodeURIComponent((request.url ?? '/').split('?')[0]!);
		requests.push(`${request.method} ${target}`);
		const found = answerTo(target, packages);
		response.writeHead(found === undefined ? 404 : 200, { 'content-type': found instanceof Buffer ? 'application/octet-stream' : 'application/json' });
		response.end(found instanceof Buffer ? found : JSON.stringify(found ?? { error: 'Not found' }));
	});
	const key = fs.readFileSync(path.join(FIXTURES, 'registry-key.pem'));
	const cert = fs.readFileSync(path.join(FIXTURES, 'registry-cert.pem'));
	const front = tls.createServer({ key, cert }, (socket) => {
		keep(socket);
		registry.emit('connection', socket);
	});
	front.on('tlsClientError', () => undefined);
	const frontPort = await listen(front);

	const proxy = http.createServer((_request, response) => response.writeHead(502).end());
	proxy.on('connect', (request: http.IncomingMessage, client: net.Socket) => {
		keep(client);
		if (request.url !== `${HOST}:443`) {
			client.end('HTTP/1.1 502 There is no Internet here\r\n\r\n');
			return;
		}
		const tunnel = net.connect(frontPort, '127.0.0.1', () => {
			client.write('HTTP/1.1 200 Connection established\r\n\r\n');
			tunnel.pipe(client);
			client.pipe(tunnel);
		});
		keep(tunnel);
	});
	const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`;

	return {
		env: {
			HTTPS_PROXY: proxyUrl,
			https_proxy: proxyUrl,
			HTTP_PROXY: proxyUrl,
			http_proxy: proxyUrl,
			NO_PROXY: '127.0.0.1,localhost',
			no_proxy: '127.0.0.1,localhost',
			NODE_EXTRA_CA_CERTS: path.join(FIXTURES, 'registry-cert.pem'),
		},
		requests,
		publish: (tarball) => {
			const bytes = fs.readFileSync(tarball);
			const manifest = manifestIn(bytes);
			packages.set(manifest.name, [...(packages.get(manifest.name) ?? []), { manifest, bytes }]);
		},
		close: async () => {
			const closed = [proxy, front].map(async (server) => await new Promise((resolve) => server.close(resolve)));
			for (const socket of sockets) socket.destroy();
			await Promise.all(closed);
		},
	};
}

async function listen(server: net.Server | http.Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return (server.address() as net.AddressInfo).port;
}

/** `/name`, `/name/version or tag`, `/name/-/name-version.tgz`. */
function answerTo(target: string, packages: ReadonlyMap<string, Version[]>): object | Buffer | undefined {
	const [, name = '', wanted, file] = /^\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(target) ?? [];
	const versions = packages.get(name);
	const latest = versions?.at(-1);
	if (versions === undefined || latest === undefined) return undefined;
	if (wanted === '-') return versions.find(({ manifest }) => file === `${name}-${manifest.version}.tgz`)?.bytes;
	if (wanted !== undefined) {
		const version = wanted === 'latest' ? latest : versions.find(({ manifest }) => manifest.version === wanted);
		return version === undefined ? undefined : described(version);
	}
	return {
		name,
		'dist-tags': { latest: latest.manifest.version },
		versions: Object.fromEntries(versions.map((version) => [version.manifest.version, described(version)])),
		time: Object.fromEntries(versions.map(({ manifest }) => [manifest.version, '2026-01-01T00:00:00.000Z'])),
	};
}

function described({ manifest, bytes }: Version): object {
	const { name, version } = manifest;
	return {
		...manifest,
		_id: `${name}@${version}`,
		dist: {
			tarball: `https://${HOST}/${name}/-/${name}-${version}.tgz`,
			shasum: createHash('sha1').update(bytes).digest('hex'),
			integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
		},
	};
}

/** The package.json inside a tarball: blocks of 512 bytes, a header with the name, the size in octal, then the file. */
function manifestIn(tarball: Buffer): Version['manifest'] {
	const archive = zlib.gunzipSync(tarball);
	for (let at = 0; at + 512 <= archive.length; ) {
		const name = archive.toString('latin1', at, archive.indexOf(0, at));
		const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8) || 0;
		if (name === 'package/package.json') return JSON.parse(archive.toString('utf8', at + 512, at + 512 + size)) as Version['manifest'];
		at += 512 + Math.ceil(size / 512) * 512;
	}
	throw new Error('The tarball has no package/package.json');
}
