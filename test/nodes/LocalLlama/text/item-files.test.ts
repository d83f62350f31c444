/** File types are detected by content, and the whole input is processed: cases of public reports. */
import type { INodeExecutionData } from 'n8n-workflow';

import { omitUndefined } from '../../../../lib/values/records';
import { reply } from '../../../simulators/llama-server';
import { file, useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, getError, getBodies, getContent, ...llama } = useLocalLlama();
const CHAT = {
	resource: 'text',
	operation: 'chat',
	prompt: 'Sum up',
	options: { binaryFields: 'data' },
};
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const getHints = async (parameters: object, items: INodeExecutionData[]) =>
	await llama.getHints({ ...CHAT, ...parameters }, items);

test.each<[string, Buffer, string, string]>([
	[
		'a HEIC named .jpg',
		latin1('\0\0\0 ftypheic\0\0\0\0'),
		'image/jpeg',
		'Convert it to JPEG or PNG',
	],
	[
		'a web archive',
		Buffer.from(
			'From: <Saved by Blink>\r\nSnapshot-Content-Location: http://x\r\nContent-Type: multipart/related; boundary=x\r\n\r\n',
		),
		'message/rfc822',
		'Extract From HTML',
	],
	['RTF', latin1('{\\rtf1\\ansi Hello}'), 'text/plain', 'Extract From RTF'],
	['a workbook', latin1('PK\x03\x04\x14\0xl/workbook.xml'), 'text/csv', 'Extract From XLSX'],
	['a PDF', latin1('%PDF-1.7 scan'), 'image/png', 'Extract From PDF'],
	['anything else', latin1('\0\x01\x02\x03'), 'application/x-thing', 'remove the file'],
])(
	'%s is rejected before anything is sent, with a suggestion',
	async (_name, bytes, mimeType, suggestion) => {
		const sim = await serve({ vision: true });
		const error = await getError(CHAT, { items: file(bytes, 'photo.jpg', mimeType) });
		expect(error.message).toContain('cannot read the file "photo.jpg"');
		expect(error.description).toContain(suggestion);
		expect(sim.requests).toEqual([]);
	},
);

test.each<[string, Buffer, string]>([
	['WebP', latin1('RIFF1234WEBPVP8 '), 'image/webp'],
	['TIFF', latin1('II*\0\x08\0\0\0'), 'image/tiff'],
])(
	'%s is sent, and the error of a server that cannot read it names the file',
	async (_name, bytes, type) => {
		const sim = await serve({ vision: true });
		sim.script(
			reply.llamaError(400, 'Failed to load image or audio file', 'invalid_request_error'),
		);
		const error = await getError(CHAT, { items: file(bytes, 'scan', 'image/png') });
		expect(JSON.stringify(getContent())).toContain(`data:${type};base64,`);
		expect(error.description).toContain(`"scan" (${type} by its content, ${bytes.length} bytes)`);
		expect(error.message).toBe('Failed to load image or audio file');
		expect(error.description).toContain('JPEG and PNG');
	},
);

test('a rotated image adds a hint', async () => {
	await serve({ vision: true });
	const exif = Buffer.concat([
		Buffer.from('ffd8ffe10022', 'hex'),
		latin1('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0'),
		Buffer.from('000000000000ffd9', 'hex'),
	]);
	expect(await getHints({}, file(exif, 'receipt.jpg', 'image/jpeg'))).toEqual([
		expect.stringMatching(/"receipt.jpg".*orientation 6.*Edit Image/s),
	]);
});

/** A JPEG whose EXIF contains a thumbnail with its own end marker. */
const JPEG = Buffer.from(
	'ffd8' + 'ffe1000affd8ffda0000ffd9' + 'ffdb000400aa' + 'ffda0004aaaa',
	'hex',
);

test.each<[string, string, number]>([
	['whole', 'aaff00aaffd9', 0],
	['whole, with more behind it', 'aaff00aaffd900ffda00', 0],
	['cut in the middle', 'aaff00aaff', 1],
])(
	'llama-server accepts truncated images silently, so a hint names them: %s',
	async (_name, pixels, hints) => {
		await serve({ vision: true });
		const image = Buffer.concat([JPEG, Buffer.from(pixels, 'hex')]);
		const detected = await getHints({}, file(image, 'photo.jpg', 'image/jpeg'));
		expect(detected).toEqual(
			Array(hints).fill(expect.stringMatching(/image "photo.jpg" is incomplete/)),
		);
	},
);

test('a JPEG that ends in its header is truncated', async () => {
	await serve({ vision: true });
	for (const length of [3, 5, 9, 20])
		expect(await getHints({}, file(JPEG.subarray(0, length), 'photo.jpg', 'image/jpeg'))).toEqual([
			expect.stringContaining('The image "photo.jpg" is incomplete'),
		]);
});

test.each<[string, number, string, string, RegExp]>([
	['no projector', 500, 'image input is not supported', 'server_error', /--mmproj/],
	[
		'more images than fit into its context',
		400,
		'request (4177 tokens) exceeds the available context size (4096 tokens)',
		'exceed_context_size_error',
		/fewer or smaller.*--ctx-size/s,
	],
])(
	'the error of llama-server names the image: %s',
	async (_name, status, message, type, suggestion) => {
		const sim = await serve({ vision: true });
		sim.route('POST /v1/chat/completions', reply.llamaError(status, message, type));
		const { description } = await getError(CHAT, { items: file(JPEG, 'photo.jpg', 'image/jpeg') });
		expect(description).toMatch(suggestion);
		expect(description).toMatch(/"photo.jpg" \(image\/jpeg, \d+ bytes\)/);
		expect(description).not.toContain('Convert');
	},
);

test('a voice memo is sent as audio under any name, and the error of a server without m4a support names it', async () => {
	const sim = await serve({ audio: true });
	const message = 'Failed to load image or audio file';
	sim.script(reply.llamaError(400, message, 'invalid_request_error'));
	const memo = latin1('\0\0\0 ftypM4A \0\0\0\0');
	const items = file(memo, 'memo', 'application/octet-stream');
	const { description } = await getError(CHAT, { items });
	expect(getContent()).toMatchObject([
		{ type: 'text' },
		{ type: 'input_audio', input_audio: { format: 'm4a' } },
	]);
	expect(description).toContain('"memo" (audio/mp4 by its content, 16 bytes)');
	expect(description).toMatch(/wav, mp3 and flac.*Convert the file/s);
});

describe('the whole input was processed', () => {
	const PAGES = Array.from({ length: 20_000 }, (_none, at) => `word${at % 97}`).join(' ');
	const LABELS = { labels: { label: [{ name: 'invoice' }, { name: 'complaint' }] } };
	const classifyParameters = { operation: 'classify', text: PAGES, options: {}, ...LABELS };

	test('40 pages for Classify, truncated to the context of Ollama', async () => {
		const sim = await serve({ profile: 'ollama' });
		sim.route('GET /api/ps', reply.json({ models: [{ name: 'sim-model', context_length: 4096 }] }));
		sim.route(
			'POST /api/chat',
			reply.json({
				message: { content: '"A"' },
				done: true,
				done_reason: 'stop',
				prompt_eval_count: 4096,
			}),
		);
		expect(await getHints(classifyParameters, [{ json: {} }])).toEqual([
			expect.stringMatching(
				/processed only 4096 tokens of the \d+ characters.*Context Size.*smaller parts/s,
			),
		]);
		expect(getBodies('/api/chat')).toMatchObject([{ truncate: false }]);
	});

	const CONTRACT = 'Änderungen dieser Vereinbarung bedürfen der Schriftform. '.repeat(230);
	const ollamaProcessed = async (prompt_tokens: number, content = '{"what":"x"}') => {
		const sim = await serve({ profile: 'ollama' });
		sim.route('GET /api/ps', reply.json({ models: [{ name: 'sim-model', context_length: 4096 }] }));
		sim.route(
			'POST /v1/chat/completions',
			reply.json({
				choices: [{ message: { content }, finish_reason: 'stop' }],
				usage: { prompt_tokens, completion_tokens: 20, total_tokens: prompt_tokens + 20 },
			}),
		);
		return sim;
	};
	const prompt = { prompt: CONTRACT, options: {} };

	// Token counts of a real Ollama for texts with many tokens per word.
	test.each([
		['0.33, which keeps half of its context', 2050],
		['0.17.4, which fills its context', 4096],
	])('a contract in German, truncated by Ollama %s', async (_version, tokens) => {
		await ollamaProcessed(tokens);
		expect(await getHints(prompt, [{ json: {} }])).toEqual([
			expect.stringMatching(`processed only ${tokens} tokens.*Its context has 4096 tokens`),
		]);
	});

	test('no larger context is suggested than the model was trained with', async () => {
		const sim = await ollamaProcessed(4096);
		sim.route('POST /api/show', reply.json({ model_info: { 'llama.context_length': 4096 } }));
		const [hint] = await getHints(prompt, [{ json: {} }]);
		expect(hint).toContain('The model does not support a larger context');
		expect(hint).not.toContain('Set Context Size');
	});

	test('a text that nearly fills the context of Ollama, or half of it, was processed', async () => {
		for (const [tokens, letters] of [
			[4000, 18_000],
			[2050, 9_500],
		] as const) {
			await ollamaProcessed(tokens);
			const parameters = { ...prompt, prompt: PAGES.slice(0, letters) };
			const hints = await getHints(parameters, [{ json: {} }]);
			expect(hints.filter((hint) => hint.includes('truncated'))).toEqual([]);
		}
	});

	test('a conversation from which Ollama omitted messages', async () => {
		await ollamaProcessed(3774);
		const message = Array.from({ length: 9 }, (_none, at) => ({
			role: at % 2 === 0 ? 'user' : 'assistant',
			content: CONTRACT.slice(0, 2_300),
		}));
		const parameters = { ...prompt, options: { messages: { message } } };
		expect(await getHints(parameters, [{ json: {} }])).toEqual([
			expect.stringContaining('processed only 3774 tokens'),
		]);
	});

	test('many short texts for Embed were processed, although they exceed the context together', async () => {
		const sim = await serve({ profile: 'ollama' });
		sim.route('GET /api/ps', reply.json({ models: [{ name: 'sim-model', context_length: 512 }] }));
		const embeddings = [
			[1, 2],
			[2, 1],
			[1, 1],
			[2, 2],
		];
		sim.route('POST /api/embed', reply.json({ embeddings, prompt_eval_count: 1000 }));
		const texts = embeddings.map((_one, at) => PAGES.slice(at, 1_200 + at));
		const embed = { resource: 'vector', operation: 'embed', text: texts };
		expect(await getHints({ ...embed, binaryFields: '' }, [{ json: {} }])).toEqual([]);
	});

	test('a response without its JSON names the truncated input', async () => {
		await ollamaProcessed(2050, 'I see no contract.');
		const fields = { fields: { field: [{ name: 'what' }] } };
		const error = await getError({
			...{ resource: 'text', operation: 'extract', text: PAGES.slice(0, 18_000), ...fields },
		});
		expect(error.message).toBe('The response is not the requested JSON');
		expect(error.description).toMatch(/processed only 2050 tokens of the \d+ characters/);
	});

	test('a text for Embed and documents for Rerank, of which little was processed', async () => {
		const sim = await serve();
		const data = [{ index: 0, embedding: [1, 2] }];
		const usage = { prompt_tokens: 512, total_tokens: 512 };
		sim.route('POST /v1/embeddings', reply.json({ data, usage }));
		const results = [{ index: 0, relevance_score: 1 }];
		sim.route('POST /v1/rerank', reply.json({ results, usage }));
		const embed = { resource: 'vector', operation: 'embed', text: PAGES };
		const rerank = { resource: 'vector', operation: 'rerank', query: 'q', document: PAGES };
		for (const parameters of [embed, rerank])
			expect(await getHints({ ...parameters, binaryFields: '' }, [{ json: {} }])).toEqual([
				expect.stringMatching(/processed only 512 tokens of the \d+ characters/),
			]);
	});

	test('a table padded with spaces was processed', async () => {
		const sim = await serve();
		sim.script(
			reply.json({
				choices: [{ message: { content: 'A' }, finish_reason: 'stop' }],
				usage: { prompt_tokens: 900, completion_tokens: 1, total_tokens: 901 },
			}),
		);
		const text = Array.from({ length: 200 }, () => `a${' '.repeat(120)}b`).join('\n');
		expect(await getHints({ ...classifyParameters, text }, [{ json: {} }])).toEqual([]);
	});
});

test('audio for a text-only model of Ollama: the error is not about images', async () => {
	const sim = await serve({ profile: 'ollama' });
	const message = 'Multimodal data provided, but model does not support multimodal requests.';
	sim.route('POST /v1/chat/completions', reply.error(400, { error: { message } }));
	const error = await getError(CHAT, { items: file(latin1('RIFF1234WAVE'), 'a.wav', 'audio/wav') });
	expect(error.message).toBe(
		'Multimodal data provided, but model does not support multimodal requests',
	);
	expect(error.description).toContain('send the request without it');
	expect(error.description).not.toContain('image');
});

test('a label in the reasoning counts if the text is empty', async () => {
	const sim = await serve();
	sim.script(
		reply.json({
			choices: [{ message: { content: null, reasoning_content: 'B' }, finish_reason: 'stop' }],
		}),
	);
	const labels = { labels: { label: [{ name: 'invoice' }, { name: 'complaint' }] } };
	const fake = prepare({
		parameters: { resource: 'text', operation: 'classify', text: 'x', ...labels },
	});
	expect((await executeIn(fake))[0]!.json).toMatchObject({ classification: 'complaint' });
	expect(getBodies('/chat/completions')).toHaveLength(1);
});

test.each([
	'Format not recognised',
	'Maximum file size exceeded (parameter=audio_filesize_mb, value=30.1)',
])('the error for a rejected recording names it: %s', async (serverMessage) => {
	const sim = await serve({ profile: 'vllm' });
	sim.route(
		'POST /v1/audio/transcriptions',
		reply.error(400, { error: { message: serverMessage } }),
	);
	const items = file(latin1('\x1aE\xdf\xa3 webm'), 'memo.webm', 'audio/webm');
	const error = await getError({ resource: 'audio', operation: 'transcribe' }, { items });
	expect(error.message).toBe(serverMessage);
	expect(error.description).toContain('"memo.webm" (video/webm by its content, 9 bytes)');
	expect(error.description).toContain(
		'Most servers read wav, mp3 and flac: try one of these instead of a file of type video/webm.',
	);
});

describe('behind a chat, a hint names the files of the message that are not sent', () => {
	const MESSAGE = { sessionId: 's1', action: 'sendMessage', chatInput: 'Hi' };
	const FILES = [
		{ binaryKey: 'data0', fileName: 'notes.txt' },
		{ binaryKey: 'data1', fileName: 'more.txt' },
	];
	const text = (fileName: string) => ({
		data: Buffer.from('milk').toString('base64'),
		mimeType: 'text/plain',
		fileName,
	});
	const binary = { data0: text('notes.txt'), data1: text('more.txt') };
	const item = (json: object): INodeExecutionData[] => [{ json: { ...json }, binary }];
	const OPERATIONS = [
		CHAT,
		{
			...CHAT,
			operation: 'classify',
			text: 'Hi',
			labels: { label: [{ name: 'a' }, { name: 'b' }] },
		},
		{ ...CHAT, operation: 'extract', text: 'Hi', fields: { field: [{ name: 'city' }] } },
	];
	const NOT_SENT =
		'2 files were not sent: notes.txt (Input Binary Fields does not name data0); more.txt (Input Binary Fields does not name data1). To send such files, add the option Input Binary Fields and enter the names. To hide this hint, leave it empty.';

	test.each<{ it: string; binaryFields?: string; json: object; hints: string[] }>([
		{
			it: 'the option is empty',
			binaryFields: '',
			json: { ...MESSAGE, files: FILES },
			hints: [],
		},
		{
			it: 'none is named',
			json: { ...MESSAGE, files: FILES },
			hints: [NOT_SENT],
		},
		{
			it: 'one is named',
			binaryFields: 'data1',
			json: { ...MESSAGE, files: FILES },
			hints: [
				'1 file was not sent: notes.txt (Input Binary Fields does not name data0). To send such files, enter these names, too.',
			],
		},
		{
			it: 'all are named',
			binaryFields: 'data0, data1',
			json: { ...MESSAGE, files: FILES },
			hints: [],
		},
		{ it: 'the list is gone', json: MESSAGE, hints: [NOT_SENT] },
		{ it: 'the item is of no chat', json: { chatInput: 'Hi' }, hints: [] },
	])('the hint about files that are not sent if $it', async ({ binaryFields, json, hints }) => {
		for (const parameters of OPERATIONS) {
			await serve();
			const all = await getHints(
				{ ...parameters, options: omitUndefined({ binaryFields }) },
				item(json),
			);
			expect(all.filter((hint) => hint.includes('not sent'))).toEqual(hints);
		}
	});

	test('many items and files are one hint, with ten names', async () => {
		await serve();
		const items = Array.from({ length: 7 }, () => item(MESSAGE)).flat();
		const hints = await getHints({ ...CHAT, options: { binaryFields: 'data0' } }, items);
		expect(hints.map((hint) => hint.split('. To', 1).join())).toEqual([
			`7 files were not sent: ${Array(7).fill('more.txt').join(', ')} (Input Binary Fields does not name data1)`,
		]);
		const none = await getHints({ ...CHAT, options: {} }, items);
		expect(none).toEqual([expect.stringMatching(/^14 files were not sent: .*; and 4 more\./)]);
	});

	test.each(OPERATIONS)(
		'a named field that the message does not have is no file: $operation',
		async (parameters) => {
			const sim = await serve();
			const options = { binaryFields: 'data0' };
			await getHints({ ...parameters, options }, [{ json: MESSAGE }]);
			expect(sim.requests.some(({ method }) => method === 'POST')).toBe(true);
			expect(await getError({ ...parameters, options }, { items: [{ json: {} }] })).toMatchObject({
				message: "The item has no binary field 'data0'. The item has no files",
			});
		},
	);

	test('a message without a text and without the named file is an error', async () => {
		const sim = await serve();
		const parameters = { ...CHAT, prompt: '', options: { binaryFields: 'data0' } };
		const error = await getError(parameters, { items: [{ json: MESSAGE }] });
		expect(error.message).toContain('Prompt');
		expect(sim.requests).toEqual([]);
	});
});
