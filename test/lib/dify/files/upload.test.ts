import * as fc from 'fast-check';

import { createHash } from 'node:crypto';
import { uploadFile } from '../../../../lib/dify/files/upload';
import { uploadName } from '../../../../lib/http/multipart';
import { clientOf, failureOf, fileOf, say, startSim } from '../client';
import { listen } from '../../../support/listening';
import { delay, net } from '../../../support/node';
import { waitFor } from '../ask';

const MEGABYTE = 1024 * 1024;

describe('access', () => {
	test('case 12: nginx finds an upload too large', async () => {
		const sim = await startSim({ nginxBodyLimit: 1024 * 1024 });
		const failed = await failureOf(
			uploadFile(
				clientOf(sim),
				fileOf(new Uint8Array(3 * 1024 * 1024), 'big.bin', 'application/octet-stream'),
				'u1',
			),
		);
		expect(failed).toMatchObject({ kind: 'fileTooLarge' });
		expect(failed.message).not.toContain('<');
	});
});

describe('upload', () => {
	test('case 80: one part called file, the user, the MIME type and every byte', async () => {
		const sim = await startSim({});
		const bytes = Uint8Array.from({ length: 300_001 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
		const id = await uploadFile(
			clientOf(sim),
			fileOf(bytes, 'Fotoß "1" 你好.png', 'image/png', 7_001),
			'user-ß 你',
		);
		const { upload, headers } = sim.requests[0]!;
		expect(upload!.fields).toEqual({ user: 'user-ß 你' });
		expect(upload!.parts).toMatchObject([
			{
				name: 'file',
				filename: 'Fotoß _1_ 你好.png',
				mimeType: 'image/png',
				size: bytes.byteLength,
				sha256: createHash('sha256').update(bytes).digest('hex'),
			},
		]);
		// A length, not chunks: WSGI servers read no body without one.
		expect(headers['content-length']).toMatch(/^\d+$/);
		expect(headers['transfer-encoding']).toBeUndefined();
		expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=\S+$/);
		expect(sim.store.files.get(id)).toMatchObject({ size: bytes.byteLength });
	});

	test('case 80: what the same user uploaded can be sent by that user', async () => {
		const sim = await startSim({});
		const client = clientOf(sim);
		const id = await uploadFile(client, fileOf('x', 'a.png', 'image/png'), 'u1');
		await say(client, {
			files: [{ type: 'image', transfer_method: 'local_file', upload_file_id: id }],
		});
		expect(sim.runs[0]!.files).toMatchObject([{ related_id: id, filename: 'a.png' }]);
	});

	test('case 80: a name that 1.12 refuses is made one that it takes', async () => {
		const sim = await startSim({});
		for (const name of [
			'a:b?.txt',
			'C:\\temp\\x.txt',
			'a/b.txt',
			'<>|*".txt',
			'\r\nX: y.txt',
			'   ',
		])
			await uploadFile(clientOf(sim), fileOf('x', name), 'u1');
		expect([...sim.store.files.values()].map(({ name }) => name)).toEqual([
			'a_b_.txt',
			'C__temp_x.txt',
			'a_b.txt',
			'_____.txt',
			'__X_ y.txt',
			'file',
		]);
	});

	test('case 80: a blocked extension, a file that is too large, a type that is missing', async () => {
		const sim = await startSim({ blockedExtensions: ['exe'], limits: { other: 1 } });
		const client = clientOf(sim);
		expect(
			await failureOf(
				uploadFile(client, fileOf('MZ', 'setup.exe', 'application/x-msdownload'), 'u1'),
			),
		).toMatchObject({ status: 400, kind: 'fileRejected' });
		const large = await failureOf(
			uploadFile(client, fileOf(new Uint8Array(MEGABYTE + 1), 'a.pdf', 'application/pdf'), 'u1'),
		);
		expect(large).toMatchObject({ status: 413, code: 'file_too_large', kind: 'fileTooLarge' });
		// Without a MIME type Dify would answer 415.
		await uploadFile(client, fileOf('x', 'a', ''), 'u1');
		expect(sim.requests.at(-1)!.upload!.parts[0]!.mimeType).toBe('application/octet-stream');
	});

	test('a stopped execution stops the upload', async () => {
		const sim = await startSim({});
		const controller = new AbortController();
		let closed = false;
		const slow = {
			...fileOf(''),
			size: 1_000_000,
			open: async function* () {
				try {
					for (;;) {
						yield new Uint8Array(1000);
						await delay(2);
					}
				} finally {
					closed = true;
				}
			},
		};
		const running = failureOf(uploadFile(clientOf(sim).withSignal(controller.signal), slow, 'u1'));
		await waitFor(() => sim.requests.length === 1);
		controller.abort();
		expect((await running).kind).toBe('aborted');
		await waitFor(() => closed);
	});
});

describe('case 12 and other ways in which proxies refuse an upload', () => {
	/** A proxy that reads so many bytes, says what it has to say, and leaves. */
	async function proxy(after: number, answer: string): Promise<{ url: string; close: () => void }> {
		const server = net.createServer((socket) => {
			let read = 0;
			socket.on('error', () => undefined);
			socket.on('data', (bytes) => {
				read += bytes.length;
				if (read < after) return;
				if (answer !== '') socket.end(answer);
				else socket.resetAndDestroy();
			});
		});
		return { url: `http://127.0.0.1:${await listen(server)}/v1`, close: () => void server.close() };
	}
	const big = () => fileOf(new Uint8Array(8 * MEGABYTE), 'big.bin', 'application/octet-stream');

	test('an answer before the whole body was read', async () => {
		const { url, close } = await proxy(
			100_000,
			'HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/html\r\nContent-Length: 33\r\nConnection: close\r\n\r\n<h1>413 Request Too Large</h1>\r\n\r\n',
		);
		const failed = await failureOf(uploadFile(clientOf({ url }), big(), 'u1'));
		expect(failed.kind).toBe('fileTooLarge');
		close();
	});

	test('a connection that is just closed', async () => {
		const { url, close } = await proxy(100_000, '');
		const failed = await failureOf(uploadFile(clientOf({ url }), big(), 'u1'));
		expect(failed).toMatchObject({ kind: 'fileTooLarge' });
		expect(failed.message).toMatch(/was closed while "big.bin" was sent \(\d+ of 8388608 bytes\)/);
		expect(failed.remedy).toContain('client_max_body_size');
		close();
	});

	test('a connection that stands still', async () => {
		const { url, close } = await proxy(Infinity, '');
		const failed = await failureOf(
			uploadFile(clientOf({ url }), fileOf('x'.repeat(1000)), 'u1', 80),
		);
		expect(failed).toMatchObject({ kind: 'timeout' });
		expect(failed.message).toContain('stood still (1000 of 1000 bytes)');
		close();
	});

	test('an upload that takes long but gets on is not cut', async () => {
		const sim = await startSim();
		const slow = {
			...fileOf(''),
			size: 20,
			open: async function* () {
				for (let at = 0; at < 20; at++) {
					await delay(150);
					yield new Uint8Array(1);
				}
			},
		};
		await uploadFile(clientOf(sim), slow, 'u1', 2000);
		expect(sim.requests[0]!.upload!.parts[0]!.size).toBe(20);
	});
});

describe('what a file cannot do', () => {
	test('no name ends the line of its header, or is one that Dify 1.12 refuses', () => {
		fc.assert(
			fc.property(
				fc.string({
					unit: fc.oneof(
						fc.constantFrom('\r', '\n', '"', '/', '\\', ':', ' ', '\u0000'),
						fc.string(),
					),
				}),
				(name) => {
					const sent = uploadName(name);
					expect(sent).not.toMatch(/[/\\:*?"<>|\p{Cc}]/u);
					expect(sent).toBe(sent.trim());
					expect(sent).not.toBe('');
					expect(uploadName(sent)).toBe(sent);
				},
			),
		);
		expect(uploadName('Bericht 2026 你好.pdf')).toBe('Bericht 2026 你好.pdf');
	});

	test('no MIME type adds a header', async () => {
		const sim = await startSim();
		for (const type of ['text/plain\r\nX-Evil: 1', 'nonsense', ''])
			await uploadFile(clientOf(sim), fileOf('x', 'a.txt', type), 'u1');
		expect(sim.requests.map(({ upload }) => upload!.parts[0]!.mimeType)).toEqual([
			'text/plain',
			'application/octet-stream',
			'application/octet-stream',
		]);
	});

	test.each([
		['ends too early', 7, 'it ended after 5 of 7 bytes'],
		['is longer than it said', 3, 'it is longer than its 3 bytes'],
	])("a file that %s is reported as such, not as a proxy's limit", async (_name, size, said) => {
		const sim = await startSim();
		const failed = await failureOf(uploadFile(clientOf(sim), { ...fileOf('12345'), size }, 'u1'));
		expect(failed).toMatchObject({
			kind: 'fileRejected',
			message: `"note.txt" could not be read: ${said}`,
		});
	});

	test('a store of n8n that fails in the middle is told in its own words', async () => {
		const sim = await startSim();
		const open = async function* () {
			yield new Uint8Array(3);
			throw new Error('ENOENT: no such file');
		};
		const failed = await failureOf(uploadFile(clientOf(sim), { ...fileOf('12345'), open }, 'u1'));
		expect(failed).toMatchObject({ kind: 'fileRejected' });
		expect(failed.message).toContain('ENOENT: no such file');
		expect(failed.remedy).toContain('where n8n stores binary data');
	});

	test('an answer without an ID is no success', async () => {
		const sim = await startSim();
		sim.fail({
			path: '/files',
			status: 201,
			body: '{"name": "note.txt"}',
			contentType: 'application/json',
		});
		expect(await failureOf(uploadFile(clientOf(sim), fileOf('x'), 'u1'))).toMatchObject({
			kind: 'emptyAnswer',
			message: 'Dify took the file, but gave no ID for it',
		});
	});
});
