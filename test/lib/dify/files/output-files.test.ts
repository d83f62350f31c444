import * as fc from 'fast-check';
import { difyClient } from '../../../../lib/dify/credentials';
import {
	downloadFile,
	outputFiles,
	downloadFailureText,
} from '../../../../lib/dify/files/output-files';
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

/** Signed addresses of files, and what was asked of them. */
const startFiles = useSimulator(async ({ redirect }: { redirect?: string } = {}) => {
	const asked: Array<{ url: string; authorization: string | undefined }> = [];
	const sockets = new Set<net.Socket>();
	const server = http.createServer((request, response) => {
		asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
		if (redirect !== undefined)
			response.writeHead(302, { Location: `${redirect}/elsewhere` }).end();
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
		);
		expect([found!.content.toString(), found!.name, found!.mimeType]).toEqual([
			'png!',
			'a.png',
			'image/png',
		]);
		expect(files.asked).toEqual([{ url: '/files/x.png?sign=1', authorization: undefined }]);
	});

	test('a redirect to another host carries nothing', async () => {
		const other = await startFiles();
		const files = await startFiles({ redirect: other.origin });
		const client = bare(files.origin);
		await downloadFile(client, Object.assign({}, FILE, { url: '/files/x.png' }));
		expect(other.asked).toEqual([{ url: '/elsewhere', authorization: undefined }]);
	});

	test('a link that has expired', async () => {
		const files = await startFiles();
		const client = bare(files.origin);
		const failed = await downloadFile(
			client,
			Object.assign({}, FILE, { url: '/files/old.png' }),
		).catch((error: unknown) => error);
		expect(downloadFailureText(failed)).toContain('300 seconds');
	});

	test('a file without an address is none to fetch', async () => {
		const client = bare('http://127.0.0.1:9');
		expect(await downloadFile(client, FILE)).toBeUndefined();
	});
});
