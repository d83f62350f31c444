import * as fc from 'fast-check';
import { binaryFile } from '../../../support/n8n/binary-file';
import { splitFileNames } from '../../../../lib/dify/file-references';
import { examples } from '../../../support/jest/properties';
import { startApp, startSim } from '../../../lib/dify/client';
import { appKey } from '../../../simulators/dify';
import type { Json } from '../../../simulators/dify';
import { sendMessages, sendMessageError, prepare, execute } from '../../dify';

describe('a file field of the form', () => {
	const CLOUDINARY = 'https://res.cloudinary.com/demo/image/upload/w_300,h_200,c_fill/cat.png';
	const sentFor = async (
		papers: unknown,
		kind: 'file' | 'file-list' = 'file-list',
	): Promise<unknown> => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind, variable: 'papers', allowedTypes: ['image', 'document'] }],
		});
		await sendMessages(sim, {
			items: [
				{ json: {}, binary: { data: { data: 'aGk=', mimeType: 'text/plain', fileName: 'a.txt' } } },
			],
			parameters: { inputsMode: 'form', inputs: { value: { papers, other: undefined } } },
		});
		return ((sim.requests.at(-1)!.json as Json).inputs as Json).papers;
	};
	const url = (address: string) => ({ type: 'image', transfer_method: 'remote_url', url: address });
	const file = {
		type: 'document',
		transfer_method: 'local_file',
		upload_file_id: expect.any(String) as string,
	};

	test.each<[string, unknown, unknown]>([
		['a URL of Cloudinary, which has commas', CLOUDINARY, [url(CLOUDINARY)]],
		['two of them', `${CLOUDINARY},${CLOUDINARY}`, [url(CLOUDINARY), url(CLOUDINARY)]],
		['one and a binary property', `data, ${CLOUDINARY}`, [file, url(CLOUDINARY)]],
		['a list of URLs and names', [CLOUDINARY, 'data', ''], [url(CLOUDINARY), file]],
		['the same as JSON text', JSON.stringify([CLOUDINARY, 'data']), [url(CLOUDINARY), file]],
		["Dify's own objects", [url(CLOUDINARY)], [url(CLOUDINARY)]],
		['an empty list', [], undefined],
	])('accepts %s', async (_name, value, sent) => {
		expect(await sentFor(value)).toEqual(sent);
	});

	test('for one file sends one; several are an error before any is sent', async () => {
		expect(await sentFor(CLOUDINARY, 'file')).toEqual(url(CLOUDINARY));
		await expect(sentFor([CLOUDINARY, CLOUDINARY], 'file')).rejects.toThrow(
			'accepts 1 file, but 2 were selected',
		);
	});

	test('the error names values that are not files', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'file', variable: 'papers' }],
		});
		const failed = await sendMessageError(sim, {
			parameters: { inputsMode: 'form', inputs: { value: { papers: [7] } } },
		});
		expect(failed.message).toContain('must be a string, but is 7');
	});

	test('any URLs and names are parsed back', () => {
		const word = fc.stringMatching(/^[a-z0-9_./-]{1,8}$/);
		const address = fc
			.array(word, { minLength: 1, maxLength: 4 })
			.map((words) => `https://${words.join(',')}`);
		const name = fc.stringMatching(/^[a-z][a-z0-9 ]{0,6}[a-z0-9]$/);
		fc.assert(
			fc.property(fc.array(fc.oneof(address, name), { maxLength: 5 }), (files) => {
				expect(splitFileNames(files.join(', '))).toEqual(files);
			}),
			examples(300),
		);
		fc.assert(
			fc.property(fc.string(), (typed) => splitFileNames(typed).every((each) => each !== '')),
		);
	});
});

describe('files of one item', () => {
	const files = (...file: Array<Record<string, unknown>>) => ({ files: { file } });
	const item = {
		json: {},
		binary: {
			data: binaryFile('png!', 'a.png', 'image/png'),
			other: { data: '', id: 'filesystem-v2:1', mimeType: 'application/pdf', fileName: 'b.pdf' },
		},
	};
	const stored = { 'filesystem-v2:1': Uint8Array.from({ length: 700_000 }, (_, at) => at & 0xff) };

	const apps = [
		{
			mode: 'chat' as const,
			key: appKey('chat'),
			fileUpload: { enabled: true, types: ['image', 'document'], number: 5 },
		},
	];

	test('binary properties are uploaded first, by the same user, and never read into memory at once', async () => {
		const sim = await startSim({ apps });
		const fake = prepare(sim, {
			items: [item],
			stored,
			parameters: files({ source: 'binary', binaryProperty: 'data , other', type: 'auto' }),
		});
		await execute(fake);
		const uploads = sim.requests.filter(({ path }) => path === '/files/upload');
		expect(
			uploads.map(({ upload }) => [
				upload!.fields.user,
				upload!.parts[0]!.size,
				upload!.parts[0]!.mimeType,
			]),
		).toEqual([
			['u1', 4, 'image/png'],
			['u1', 700_000, 'application/pdf'],
		]);
		expect(sim.runs[0]!.files).toMatchObject([
			{ type: 'image', filename: 'a.png' },
			{ type: 'document', filename: 'b.pdf' },
		]);
		expect(fake.wholeReads).toBe(0);
		expect(sim.requests.map(({ path }) => path)).toEqual([
			'/parameters',
			'/files/upload',
			'/files/upload',
			'/chat-messages',
		]);
	});

	test('all binary properties, URLs, an explicit type', async () => {
		const sim = await startSim({ apps });
		await execute(
			prepare(sim, {
				items: [item],
				stored,
				parameters: files(
					{ source: 'all' },
					{
						source: 'url',
						url: 'https://example.com/a.png?x=1\nhttps://example.com/b',
						type: 'image',
					},
				),
			}),
		);
		expect(sim.runs[0]!.files).toMatchObject([
			{ filename: 'a.png' },
			{ filename: 'b.pdf', size: 700_000 },
			{ type: 'image', remote_url: 'https://example.com/a.png?x=1' },
			{ type: 'image', remote_url: 'https://example.com/b' },
		]);
	});

	test('files for an app without file upload are rejected, since Dify would drop them', async () => {
		const sim = await startApp({ mode: 'chat', fileUpload: { enabled: false } });
		const failed = await sendMessageError(sim, {
			items: [item],
			stored,
			parameters: files({ source: 'all' }),
		});
		expect(failed.message).toContain('File upload is disabled');
		expect(sim.requests.map(({ path }) => path)).toEqual(['/parameters']);
	});

	test.each([
		[{ source: 'binary', binaryProperty: 'nope' }, "no binary field 'nope'"],
		[{ source: 'url', url: 'ftp://x' }, 'file URL is not valid'],
		[
			{ source: 'binary', binaryProperty: 'data', type: 'photo' },
			'"Type" must be one of audio, auto, custom, document, image, video, but is "photo"',
		],
	])('an entry without a file is rejected before sending: %j', async (file, message) => {
		const sim = await startSim({});
		const error = await sendMessageError(sim, { items: [item], parameters: files(file) });
		expect(error.message).toContain(message);
	});

	test('an item without files sends none, and makes no extra request', async () => {
		const sim = await startSim({});
		await execute(prepare(sim, { parameters: files({ source: 'all' }) }));
		expect(sim.requests.map(({ path }) => path)).toEqual(['/chat-messages']);
	});
});
