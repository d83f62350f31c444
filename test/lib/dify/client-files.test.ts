import { createHash } from 'node:crypto';

import { formValue, jsonInputs, readForm } from '../../../lib/dify/form';
import {
	appFileRules,
	checkFiles,
	checkedUrl,
	fileTypeOf,
	nameInUrl,
	sizeLimitsOf,
	type FileRules,
} from '../../../lib/dify/files';
import { uploadFile, uploadName } from '../../../lib/dify/upload';
import { listen } from '../../support/listening';
import { delay, net } from '../../support/node';
import { SIM_VERSIONS, type FormField } from '../../servers/dify';
import { waitFor } from './ask';
import { clientOf, failureOf, fileOf, say, startApp, startSim } from './client';

const MEGABYTE = 1024 * 1024;

describe.each(SIM_VERSIONS)('upload, %s', (version) => {
	test('case 80: one part called file, the user, the MIME type and every byte', async () => {
		const sim = await startSim({ version });
		const bytes = Uint8Array.from({ length: 300_001 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
		const id = await uploadFile(clientOf(sim), fileOf(bytes, 'Fotoß "1" 你好.png', 'image/png', 7_001), 'user-ß 你');
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
		const sim = await startSim({ version });
		const client = clientOf(sim);
		const id = await uploadFile(client, fileOf('x', 'a.png', 'image/png'), 'u1');
		await say(client, { files: [{ type: 'image', transfer_method: 'local_file', upload_file_id: id }] });
		expect(sim.runs[0]!.files).toMatchObject([{ related_id: id, filename: 'a.png' }]);
	});

	test('case 80: a name that 1.12 refuses is made one that it takes', async () => {
		const sim = await startSim({ version });
		for (const name of ['a:b?.txt', 'C:\\temp\\x.txt', 'a/b.txt', '<>|*".txt', '\r\nX: y.txt', '   '])
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
		const sim = await startSim({ version, blockedExtensions: ['exe'], limits: { other: 1 } });
		const client = clientOf(sim);
		expect(
			await failureOf(uploadFile(client, fileOf('MZ', 'setup.exe', 'application/x-msdownload'), 'u1')),
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
		const sim = await startSim({ version });
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
		const running = failureOf(uploadFile(clientOf(sim), slow, 'u1', controller.signal));
		await waitFor(() => sim.requests.length === 1);
		controller.abort();
		expect((await running).kind).toBe('aborted');
		await waitFor(() => closed);
	});
});

describe('case 12 and the ways in which proxies refuse an upload', () => {
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
		const failed = await failureOf(uploadFile(clientOf({ url }), fileOf('x'.repeat(1000)), 'u1', undefined, 80));
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
		await uploadFile(clientOf(sim), slow, 'u1', undefined, 2000);
		expect(sim.requests[0]!.upload!.parts[0]!.size).toBe(20);
	});
});

describe('which type a file has', () => {
	test.each([
		['a.PNG', 'application/octet-stream', 'image'],
		['a.webm', 'audio/webm', 'video'],
		['a.mpga', undefined, 'audio'],
		['a.pdf', 'application/pdf', 'document'],
		['photo', 'image/heic', 'image'],
		['voice', 'audio/ogg', 'audio'],
		['a.zip', undefined, 'document'],
	] as const)('%s (%s) is %s', (name, mime, type) => {
		expect(fileTypeOf(name, mime)).toBe(type);
	});

	test('where the app takes only others, custom if it takes that', () => {
		expect(fileTypeOf('a.zip', undefined, { types: ['image', 'custom'] })).toBe('custom');
		expect(fileTypeOf('a.zip', undefined, { types: ['image'] })).toBe('document');
	});
});

describe('what an app takes', () => {
	const rules = (over: Partial<FileRules> = {}): FileRules => ({ where: 'the app', enabled: true, ...over });
	const file = { name: 'a.png', type: 'image', method: 'local_file', size: 10 } as const;

	test.each(SIM_VERSIONS)('is read from its parameters (%s)', async (version) => {
		const sim = await startApp(
			version,
			{ mode: 'chat', fileUpload: { enabled: true, types: ['image', 'document'], number: 2 } },
			{ limits: { image: 7 } },
		);
		const parameters = await clientOf(sim).get('/parameters');
		expect(appFileRules(parameters)).toEqual({
			where: 'the app',
			enabled: true,
			types: ['image', 'document'],
			methods: ['local_file', 'remote_url'],
			most: 2,
		});
		expect(sizeLimitsOf(parameters)).toEqual({ image: 7, video: 100, audio: 50, other: 15 });
	});

	test('versions that know pictures only', () => {
		const parameters = {
			file_upload: { image: { enabled: true, number_limits: 3, transfer_methods: ['remote_url'] } },
		};
		expect(appFileRules(parameters)).toEqual({
			where: 'the app',
			enabled: true,
			types: ['image'],
			methods: ['remote_url'],
			most: 3,
		});
		expect(appFileRules({})).toMatchObject({ enabled: false });
	});

	test('is checked before anything is sent, in words', () => {
		const kinds = (files: Parameters<typeof checkFiles>[0], over: Partial<FileRules>, sizes = {}) => {
			try {
				checkFiles(files, rules(over), sizes);
				return 'fine';
			} catch (error) {
				return (error as { kind: string }).kind;
			}
		};
		expect(kinds([file], {})).toBe('fine');
		expect(kinds([], { enabled: false })).toBe('fine');
		expect(kinds([file], { enabled: false })).toBe('featureOff');
		expect(kinds([file, file], { most: 1 })).toBe('fileRejected');
		expect(kinds([file], { types: ['document'] })).toBe('fileType');
		expect(kinds([{ ...file, name: 'a.zip', type: 'custom' }], { types: ['custom'], extensions: ['csv'] })).toBe(
			'fileType',
		);
		expect(kinds([{ ...file, name: 'a.CSV', type: 'custom' }], { types: ['custom'], extensions: ['csv'] })).toBe(
			'fine',
		);
		expect(kinds([file], { methods: ['remote_url'] })).toBe('fileRejected');
		expect(kinds([{ ...file, method: 'remote_url' }], { methods: ['local_file'] })).toBe('fileRejected');
		expect(kinds([{ ...file, size: 2 * MEGABYTE }], {}, { image: 1 })).toBe('fileTooLarge');
		expect(kinds([{ ...file, size: 2 * MEGABYTE }], {}, { other: 1 })).toBe('fine');
		expect(kinds([{ ...file, name: 'a.pdf', type: 'document', size: 2 * MEGABYTE }], {}, { other: 1 })).toBe(
			'fileTooLarge',
		);
	});

	test('URLs and names', () => {
		expect(checkedUrl(' https://example.com/a.png ')).toBe('https://example.com/a.png');
		for (const url of ['file:///etc/passwd', 'example.com/a.png', '', 'https://'])
			expect(() => checkedUrl(url)).toThrow('not valid');
		expect(nameInUrl('https://x/y/cat.png?sign=1#a')).toBe('cat.png');
		expect(uploadName('a\u0000b.txt')).toBe('a_b.txt');
	});
});

describe('the form of an app', () => {
	const form: FormField[] = [
		{ kind: 'text-input', variable: 'name', label: 'Your name', required: true, maxLength: 10 },
		{ kind: 'paragraph', variable: 'about', default: 'nothing' },
		{ kind: 'select', variable: 'unit', options: ['C', 'F'], default: 'C' },
		{ kind: 'number', variable: 'count' },
		{ kind: 'checkbox', variable: 'terse', default: true },
		{ kind: 'json_object', variable: 'extra' },
		{ kind: 'file', variable: 'picture', allowedTypes: ['image'] },
		{ kind: 'file-list', variable: 'papers', allowedTypes: ['document'], maxLength: 3 },
		{ kind: 'external_data_tool', variable: 'tool' },
	];

	test.each(SIM_VERSIONS)(
		'is read with types, choices and limits, without what Dify fills in itself (%s)',
		async (version) => {
			const sim = await startApp(version, { mode: 'chat', form });
			const fields = readForm(await clientOf(sim).get('/parameters'));
			expect(fields.map(({ kind, variable, required }) => [kind, variable, required])).toEqual(
				form.slice(0, -1).map(({ kind, variable, required }) => [kind, variable, required === true]),
			);
			expect(fields[0]).toMatchObject({ label: 'Your name' });
			expect(fields[2]).toMatchObject({ options: ['C', 'F'], default: 'C' });
			expect(fields[6]!.files).toMatchObject({ types: ['image'], most: 1 });
			expect(fields[7]!.files).toMatchObject({ types: ['document'], most: 3 });
		},
	);

	test('values get the type that Dify takes; nothing stays nothing, so that defaults count', () => {
		const [name, about, unit, count, terse, extra] = readForm({
			user_input_form: form.slice(0, 6).map(({ kind, variable }) => ({ [kind]: { variable, label: variable } })),
		});
		expect([formValue(name!, 42), formValue(name!, ''), formValue(name!, null), formValue(about!, { a: 1 })]).toEqual([
			'42',
			'',
			undefined,
			'{"a":1}',
		]);
		expect([formValue(unit!, 'F'), formValue(unit!, '')]).toEqual(['F', undefined]);
		expect([formValue(count!, '3'), formValue(count!, 0), formValue(count!, ' ')]).toEqual([3, 0, undefined]);
		expect(() => formValue(count!, [1])).toThrow('must be a number');
		expect([
			formValue(terse!, 'yes'),
			formValue(terse!, 'false'),
			formValue(terse!, false),
			formValue(terse!, ''),
		]).toEqual([true, false, false, undefined]);
		expect([formValue(extra!, '{"a":1}'), formValue(extra!, { b: 2 }), formValue(extra!, '')]).toEqual([
			{ a: 1 },
			{ b: 2 },
			undefined,
		]);
		expect(() => formValue(extra!, '[1]')).toThrow('JSON object');
	});

	test('fields of a kind that is not known are texts; what is no field is left out', () => {
		expect(
			readForm({ user_input_form: [{ 'new-kind': { variable: 'x' } }, { select: {} }, 'nonsense', null] }),
		).toMatchObject([{ kind: 'text-input', variable: 'x', label: 'x' }]);
		expect(readForm({})).toEqual([]);
	});

	test('inputs as JSON are an object or a sentence', () => {
		expect([jsonInputs('{"a": 1}'), jsonInputs({ b: 2 }), jsonInputs(' ')]).toEqual([{ a: 1 }, { b: 2 }, {}]);
		for (const value of ['[1]', 'x', 7, null]) expect(() => jsonInputs(value)).toThrow('not a JSON object');
	});
});
