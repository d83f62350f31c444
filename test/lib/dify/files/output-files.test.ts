import * as fc from 'fast-check';
import { difyClient } from '../../../../lib/dify/credentials';
import {
	downloadFile,
	MAX_FILES_BYTES,
	outputFiles,
	downloadFailureText,
} from '../../../../lib/dify/files/output-files';
import { originsIn } from '../../../../lib/dify/files/signed-file';
import { http, type net } from '../../../support/node';
import { listen } from '../../../support/listening';
import { examples } from '../../../support/properties';
import { useSimulator } from '../../../servers/use-simulator';

const FILE = {
	dify_model_identity: '__dify__file__',
	id: null,
	related_id: 'up',
	filename: 'a.png',
} as never;

const RULES = { origins: [], maxBytes: MAX_FILES_BYTES };

/** Signed addresses of files, and what was asked of them. `/hop/2` redirects to `/hop/1`, and `/hop/0` elsewhere. */
const startFiles = useSimulator(async ({ hops }: { hops?: { to: string } } = {}) => {
	const asked: Array<{ url: string; authorization: string | undefined }> = [];
	const sockets = new Set<net.Socket>();
	const server = http.createServer((request, response) => {
		asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
		const hop = /^\/hop\/(\d)$/.exec(request.url!)?.[1];
		if (hop !== undefined)
			response
				.writeHead(302, { Location: hop === '0' ? hops!.to : `/hop/${Number(hop) - 1}` })
				.end();
		else if (request.url!.includes('old')) response.writeHead(403).end();
		else response.writeHead(200, { 'Content-Type': 'image/png' }).end('png!');
	});
	server.on('connection', (socket) => void sockets.add(socket));
	const port = await listen(server, {});
	return {
		origin: `http://127.0.0.1:${port}`,
		asked,
		close: async () => {
			server.close();
			for (const socket of sockets) socket.destroy();
		},
	};
});

function bare(origin: string) {
	const data = { baseUrl: `${origin}/v1`, apiKey: `app-${'0'.repeat(24)}`, keyType: 'app' };
	return difyClient(data, undefined, { headers: {} });
}

describe('files of a run', () => {
	test('are found at any depth, each once', () => {
		const url = '/files/tools/x.png?sign=1';
		const inside = Object.assign({}, FILE, { url });
		const again = Object.assign({}, FILE, { url: '/files/tools/x.png?sign=2' });
		const other = { id: 'f2', url: 'http://h/b.pdf' };
		expect(outputFiles({ a: [{ b: inside }], c: again, d: 'text' }, [again, other])).toEqual([
			inside,
			other,
		]);
	});

	test('any outputs are looked through', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (outputs) => {
				expect(Array.isArray(outputFiles(outputs))).toBe(true);
			}),
			examples(200),
		);
	});

	test('a relative address belongs to the host of the base URL, and no key goes there', async () => {
		const files = await startFiles();
		const client = bare(files.origin);
		const found = await downloadFile(
			client,
			Object.assign({}, FILE, { url: '/files/x.png?sign=1' }),
			RULES,
		);
		expect([found!.content.toString(), found!.name, found!.mimeType]).toEqual([
			'png!',
			'a.png',
			'image/png',
		]);
		expect(files.asked).toEqual([{ url: '/files/x.png?sign=1', authorization: undefined }]);
	});

	test('another origin is not asked, directly or after redirects, unless the option lists it', async () => {
		const other = await startFiles();
		const hops = { to: '' };
		const files = await startFiles({ hops });
		const elsewhere = fc.constantFrom(
			other.origin,
			other.origin.replace('http:', 'https:'),
			other.origin.replace('127.0.0.1', 'localhost'),
			other.origin.replace('127.0.0.1', '2130706433'),
			other.origin.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
			other.origin.replace('//', '//user:word@'),
			other.origin.replace('http://', '//'),
			other.origin.replace('http://', 'http:\\\\'),
			files.origin.replace('http:', 'https:'),
			'http://169.254.169.254',
			'http://[fd00::1]:80',
		);
		await fc.assert(
			fc.asyncProperty(elsewhere, fc.option(fc.nat(3)), async (target, redirects) => {
				hops.to = `${target}/elsewhere`;
				const url = redirects === null ? hops.to : `/hop/${redirects}`;
				const file = Object.assign({}, FILE, { url });
				const refused = await downloadFile(bare(files.origin), file, RULES).catch(
					downloadFailureText,
				);
				expect(refused).toContain(`it lies at ${new URL(target, files.origin).origin}, not at`);
				expect(refused).toContain('Fetch Files From');
			}),
			examples(40),
		);
		expect(other.asked).toEqual([]);
	});

	test('a redirect to an origin that the option lists is followed, without the key', async () => {
		const other = await startFiles();
		const files = await startFiles({ hops: { to: `${other.origin}/elsewhere` } });
		const file = Object.assign({}, FILE, { url: '/hop/1' });
		const named = { ...RULES, origins: [other.origin] };
		expect((await downloadFile(bare(files.origin), file, named))!.content.toString()).toBe('png!');
		expect(other.asked).toEqual([{ url: '/elsewhere', authorization: undefined }]);
	});

	test('a file that a model wrote with an address that is none is no failure of the run', () => {
		const file = Object.assign({}, FILE, { related_id: null, url: 5 });
		expect(outputFiles({ a: file }, [file])).toEqual([file, file]);
	});

	test.each(['file:///etc/passwd', 'data:text/plain,x'])('%s is not asked', async (url) => {
		const file = Object.assign({}, FILE, { url });
		const failed = await downloadFile(bare('http://127.0.0.1:9'), file, RULES).catch(
			(error: unknown) => error,
		);
		expect(downloadFailureText(failed)).toContain('only http and https are fetched');
		expect(downloadFailureText(failed)).not.toContain('null');
	});

	test('an address that cannot be read is named', async () => {
		const file = Object.assign({}, FILE, { url: 'http://127.0.0.1:9.example/a' });
		const failed = await downloadFile(bare('http://127.0.0.1:9'), file, RULES).catch(
			(error: unknown) => error,
		);
		expect(downloadFailureText(failed)).toContain('"http://127.0.0.1:9.example/a" is no address');
	});

	test('a file beyond the bound is not kept', async () => {
		const files = await startFiles();
		const file = Object.assign({}, FILE, { url: '/files/x.png' });
		const failed = await downloadFile(bare(files.origin), file, { ...RULES, maxBytes: 3 }).catch(
			(error: unknown) => error,
		);
		expect(downloadFailureText(failed)).toContain('200 MB');
	});

	test.each([
		['Image/WebP; q=1', 'image/webp'],
		['text/html\r\nX-Evil: 1', 'image/png'],
		['image/png,<svg>', 'image/png'],
	])('the type of a file is a type: %j', async (type, expected) => {
		const files = await startFiles();
		const file = Object.assign({}, FILE, { url: '/files/x.png', mime_type: type });
		expect((await downloadFile(bare(files.origin), file, RULES))!.mimeType).toBe(expected);
	});

	test('the name of a file is a name', async () => {
		const files = await startFiles();
		const file = Object.assign({}, FILE, { url: '/files/x.png', filename: '../../etc/x\r\n.png' });
		expect((await downloadFile(bare(files.origin), file, RULES))!.name).toBe('x.png');
	});

	test.each([
		['', []],
		['https://a.example.com/files, http://b:9000', ['https://a.example.com', 'http://b:9000']],
	])('the origins in %j', (typed, origins) => {
		expect(originsIn(typed)).toEqual(origins);
	});

	test('what is no address is an error', () => {
		expect(() => originsIn('files.example.com')).toThrow('Fetch Files From');
	});

	test('a link that has expired', async () => {
		const files = await startFiles();
		const client = bare(files.origin);
		const failed = await downloadFile(
			client,
			Object.assign({}, FILE, { url: '/files/old.png' }),
			RULES,
		).catch((error: unknown) => error);
		expect(downloadFailureText(failed)).toContain('300 seconds');
	});

	test('a file without an address is none to fetch', async () => {
		const client = bare('http://127.0.0.1:9');
		expect(await downloadFile(client, FILE, RULES)).toBeUndefined();
	});
});
