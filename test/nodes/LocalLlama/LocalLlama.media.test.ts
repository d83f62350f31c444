import type { INodeExecutionData } from 'n8n-workflow';

import { startKokoroSim } from '../../simulators/media/kokoro';
import { startSpeachesSim } from '../../simulators/media/speaches';
import { startWhisperSim } from '../../simulators/media/whisper';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { useLocalLlama } from './run-node';
import type { Setup } from './run-node';
import { jsonReply } from '../../simulators/media/server';
import { PNG, startSdServerSim } from '../../simulators/media/sd-server';

const { serve, prepare, executeIn, getError } = useLocalLlama();
const startWhisper = useSimulator(startWhisperSim);
const startSpeaches = useSimulator(startSpeachesSim);
const startKokoro = useSimulator(startKokoroSim);
const startServer = useSimulator(startScripted);
const startSd = useSimulator(startSdServerSim);
beforeEach(async () => {
	await serve();
});

describe('audio', () => {
	const SEGMENTS = [
		{ text: ' Hello', start: 0, end: 1.5 },
		{ text: ' there', start: 1.5, end: 2 },
	];
	const WAV = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(900_000)]);
	const recording = (fileName = 'Interview 1.wav'): INodeExecutionData[] => [
		{
			json: {},
			binary: { data: { data: 'filesystem-v2', id: 'store:1', mimeType: 'audio/wav', fileName } },
		},
	];
	const buildSetup = (
		sim: { url: string },
		parameters: Record<string, unknown>,
		overrides: Setup = {},
	): Setup => ({
		credentials: { baseUrl: sim.url },
		items: recording(),
		stored: { 'store:1': WAV },
		parameters: { resource: 'audio', model: '', ...parameters },
		...overrides,
	});
	const run = async (
		sim: { url: string },
		parameters: Record<string, unknown>,
		overrides: Setup = {},
	) => {
		const fake = prepare(buildSetup(sim, parameters, overrides));
		return { ...fake, items: await executeIn(fake) };
	};
	const readBytes = ({ binary }: INodeExecutionData, field = 'data') =>
		Buffer.from(binary![field]!.data, 'base64');

	describe('Transcribe', () => {
		test('a recording from n8n’s storage, which is never fully in memory', async () => {
			const sim = await startWhisper({ segments: SEGMENTS });
			const { items, wholeReads: fullReads, hints } = await run(sim, { operation: 'transcribe' });
			expect(items).toEqual([{ json: { output: 'Hello\n there' }, pairedItem: { item: 0 } }]);
			expect([fullReads, hints]).toEqual([0, []]);
			expect(sim.forms[0]!.parts[0]).toMatchObject({
				filename: 'Interview 1.wav',
				size: WAV.byteLength,
			});
		});

		test('silent recordings are one hint, which names each', async () => {
			const sim = await startWhisper({ segments: [] });
			const item = buildSetup(sim, {}).items![0]!;
			const { hints } = await run(sim, { operation: 'transcribe' }, { items: [item, item] });
			expect(hints.map(({ message }) => message)).toEqual([
				expect.stringContaining(
					'No speech was detected in 2 recordings: "Interview 1.wav" (item 1), "Interview 1.wav" (item 2).',
				),
			]);
		});

		test.each([
			['srt', 'application/x-subrip'],
			['vtt', 'text/vtt'],
		])(
			'%s: the text, and a file with the name of the recording',
			async (responseFormat, mimeType) => {
				const sim = await startWhisper({ segments: SEGMENTS });
				const { items } = await run(sim, {
					operation: 'transcribe',
					responseFormat,
					options: { binaryPropertyOutput: 'subtitles', simplify: false },
				});
				const fileName = `Interview 1.${responseFormat}`;
				const subtitles = readBytes(items[0]!, 'subtitles').toString();
				expect(items[0]!.json).toMatchObject({
					output: 'Hello\nthere',
					metadata: { fileName, mimeType, subtitles },
				});
				expect(items[0]!.binary!.subtitles).toMatchObject({ fileName, mimeType });
			},
		);

		test('segments, with the options of the recording and of the request', async () => {
			const sim = await startSpeaches({ segments: SEGMENTS });
			const { items } = await run(sim, {
				operation: 'transcribe',
				model: { __rl: true, mode: 'list', value: 'Systran/faster-whisper-tiny' },
				responseFormat: 'verbose_json',
				options: {
					language: 'en',
					prompt: 'n8n',
					temperature: '0.5',
					timestamps: ['word', 'segment'],
					extraBody: '{"without_timestamps":false}',
					simplify: false,
				},
			});
			expect(items[0]!.json).toMatchObject({
				output: { text: 'Hello there', language: 'en', segments: SEGMENTS },
				metadata: { model: 'Systran/faster-whisper-tiny', task: 'transcribe' },
			});
			expect(sim.forms[0]!.fields).toEqual({
				model: 'Systran/faster-whisper-tiny',
				response_format: 'verbose_json',
				language: 'en',
				prompt: 'n8n',
				temperature: '0.5',
				'timestamp_granularities[]': 'segment',
				without_timestamps: 'false',
			});
		});

		test('times are rounded to milliseconds, probabilities to 6 decimals, and integers stay', async () => {
			const words = [{ word: 'Hi', start: 0.1234567, probabilities: [0.12345678, [1]] }];
			const segment = {
				id: 0,
				start: 0.1234567,
				end: 1.5,
				text: 'Hi',
				avg_logprob: -0.12345678,
				words,
			};
			const [duration, created] = [2.00049, 1732600008042];
			const sim = await startServer((_request, response) => {
				sendJson(response, { text: 'Hi', duration, created, segments: [segment] });
			});
			const { items } = await run(sim, {
				operation: 'transcribe',
				model: 'whisper',
				responseFormat: 'verbose_json',
				options: { simplify: false },
			});
			expect(items[0]!.json).toEqual({
				output: {
					text: 'Hi',
					duration: 2,
					segments: [
						{
							...segment,
							start: 0.123,
							avg_logprob: -0.123457,
							words: [{ word: 'Hi', start: 0.123, probabilities: [0.123457, [1]] }],
						},
					],
				},
				metadata: { model: 'whisper', created, seconds: expect.any(Number) as number },
			});
		});

		test('is streamed to a chat in one piece', async () => {
			const sim = await startWhisper({ segments: SEGMENTS });
			const chatText = async (parameters: Record<string, unknown>, overrides: Setup = {}) => {
				const { chunks } = await run(
					sim,
					{ operation: 'transcribe', ...parameters },
					{ streaming: true, ...overrides },
				);
				return chunks.map(({ type, content }) => content ?? type);
			};
			expect(await chatText({})).toEqual(['begin', 'Hello\n there', 'end']);
			const type = 'n8n-nodes-local-llama.localLlamaTool';
			expect(await chatText({}, { type })).toEqual([]);
			expect(await chatText({ options: { enableStreaming: false } })).toEqual([]);
		});

		test('Translate to English uses a separate route', async () => {
			const sim = await startSpeaches({ segments: SEGMENTS });
			const model = 'Systran/faster-whisper-tiny';
			const { items } = await run(sim, {
				operation: 'transcribe',
				model,
				options: { translate: true },
			});
			expect(items[0]!.json.output).toBe('Hello there');
			expect(sim.requests.at(-1)!.path).toBe('/v1/audio/translations');
		});

		test('no field name', async () => {
			const sim = await startWhisper({ segments: SEGMENTS });
			const failedItem = await getError(
				{},
				buildSetup(sim, { operation: 'transcribe', binaryPropertyName: '' }),
			);
			expect(failedItem.message).toBe('The field "Input Binary Field" is empty');
		});

		test('llama-server v0.5.0 supports one format, and no translation', async () => {
			const sim = await startServer(({ path }, response) => {
				const matches = path === '/v1/audio/transcriptions';
				const message = matches
					? "Only 'json' response_format is supported for transcription"
					: 'File Not Found';
				const [code, type] = matches ? [400, 'invalid_request_error'] : [404, 'not_found_error'];
				sendJson(response, { error: { code, message, type } }, code);
			});
			const failedItem = async (parameters: object) =>
				await getError({}, buildSetup(sim, { operation: 'transcribe', ...parameters }));
			const subtitles = await failedItem({ responseFormat: 'srt' });
			expect(subtitles.message).toContain("Only 'json' response_format is supported");
			expect(subtitles.description).toContain('Set "Response Format" to Text');
			const english = await failedItem({ options: { translate: true } });
			expect(english.message).toBe('The server cannot translate audio');
			expect(english.description).toContain('Turn off Translate to English');
		});

		test.each(['a"\r\nX-Evil: 1', 'a\nb', 'a\0', '"'])(
			'the key %j of Extra Body is an error that names it: it could not be the name of a form field',
			async (key) => {
				const sim = await startWhisper();
				const options = { extraBody: JSON.stringify({ [key]: 'x' }) };
				const error = await getError({}, buildSetup(sim, { operation: 'transcribe', options }));
				expect(error.message).toBe(
					`Extra Body has the key ${JSON.stringify(key)}, which cannot be the name of a form field`,
				);
				expect(sim.forms).toEqual([]);
			},
		);

		test('an image is rejected: with a multimodal model, llama-server would transcribe it', async () => {
			const sim = await startWhisper();
			const data = Buffer.from('\xff\xd8\xff\xe0', 'latin1').toString('base64');
			const binary = { data: { data, mimeType: 'audio/wav', fileName: 'scan.wav' } };
			const setup = buildSetup(sim, { operation: 'transcribe' }, { items: [{ json: {}, binary }] });
			const error = await getError({}, setup);
			expect(error.message).toBe('"scan.wav" is an image');
			expect(sim.forms).toEqual([]);
		});
	});

	describe('Speak', () => {
		test.each([
			['a plain text', 'af_bella'],
			['the list', { __rl: true, mode: 'list', value: 'af_bella', cachedResultName: 'Bella' }],
			['a name', { __rl: true, mode: 'id', value: 'af_bella' }],
		])('the voice from %s', async (_name, voice) => {
			const sim = await startKokoro();
			const parameters = { operation: 'speak', model: 'kokoro', text: 'Hi', voice };
			const { items } = await run(sim, { ...parameters, options: { simplify: false } });
			expect(items[0]!.json).toMatchObject({ metadata: { voice: 'af_bella' } });
		});

		test('a file with the correct name and type, and metadata for agents, which do not receive the file', async () => {
			const sim = await startKokoro();
			const { items } = await run(sim, {
				operation: 'speak',
				text: 'Hello **there** 👋',
				voice: 'af_heart',
				options: {
					plainText: true,
					fileName: '/a/greeting.mp3',
					binaryPropertyOutput: 'sound',
					simplify: false,
				},
			});
			expect(items[0]!.json).toEqual({
				output: { fileName: 'greeting.mp3', mimeType: 'audio/mpeg', bytes: 3506 },
				metadata: { voice: 'af_heart', characters: 11, seconds: expect.any(Number) as number },
			});
			expect(items[0]!.binary!.sound).toMatchObject({
				fileName: 'greeting.mp3',
				mimeType: 'audio/mpeg',
			});
			expect(readBytes(items[0]!, 'sound').byteLength).toBe(3506);
			expect(sim.requests.at(-1)!.body).toMatchObject({ input: 'Hello there' });
		});

		test('raw samples, with a speed and a field of Extra Body', async () => {
			const samples = Buffer.alloc(400, 3);
			const sim = await startKokoro({ sound: () => [samples] });
			const { items } = await run(sim, {
				operation: 'speak',
				text: 'One is here.',
				options: { format: 'pcm', speed: 1.5, extraBody: { lang_code: 'a' } },
			});
			expect(items[0]!.json.output).toMatchObject({
				fileName: 'speech.pcm',
				mimeType: 'audio/L16;rate=24000;channels=1',
			});
			expect(readBytes(items[0]!)).toEqual(samples);
			expect(sim.requests.at(-1)!.body).toMatchObject({ speed: 1.5, lang_code: 'a' });
		});
	});
});

describe('Image: Edit', () => {
	const image = (fileName: string, data = PNG, mimeType = 'image/png') => ({
		data,
		mimeType,
		fileName,
	});
	const buildEdit = (
		sim: { url: string },
		binary: NonNullable<INodeExecutionData['binary']>,
		parameters: Record<string, unknown> = {},
	): Setup => ({
		credentials: { baseUrl: sim.url },
		items: [{ json: { id: 7 }, binary }],
		parameters: {
			resource: 'image',
			operation: 'edit',
			model: '',
			prompt: 'a blue fox',
			binaryFields: 'data',
			...parameters,
		},
	});

	test('an image is sent as a form, and the result is a file of the item', async () => {
		const sim = await startSd();
		const options = { size: '64 × 64', seed: 5, extraBody: '{"strength":0.5}', simplify: false };
		const fake = prepare(buildEdit(sim, { data: image('fox.png') }, { options }));
		const [item] = await executeIn(fake);
		expect(item).toMatchObject({
			json: {
				id: 7,
				output: { fileName: 'image.png', mimeType: 'image/png', bytes: 70, width: 1, height: 1 },
				metadata: { prompt: 'a blue fox', model: 'sd-cpp-local' },
			},
			binary: { data: { data: PNG, mimeType: 'image/png' } },
		});
		expect(sim.requests.at(-1)!.path).toBe('/v1/images/edits');
		expect(sim.forms.at(-1)!.fields).toEqual({
			model: 'sd-cpp-local',
			prompt: 'a blue fox',
			n: '1',
			size: '64x64',
			seed: '5',
			response_format: 'b64_json',
			strength: '0.5',
		});
		const sent = sim.forms.at(-1)!.parts;
		expect(sent.map(({ name, filename, mimeType }) => [name, filename, mimeType])).toEqual([
			['image', 'fox.png', 'image/png'],
		]);
		expect(Buffer.from(sent[0]!.content).toString('base64')).toBe(PNG);
	});

	test('several images and a mask', async () => {
		const sim = await startSd();
		const binary = { a: image('a.png'), b: image('b.png'), mask: image('mask.png') };
		const options = { mask: 'mask', count: 2 };
		const fake = prepare(buildEdit(sim, binary, { binaryFields: 'a, b', options }));
		expect(await executeIn(fake)).toHaveLength(2);
		const { parts, fields } = sim.forms.at(-1)!;
		expect(parts.map(({ name, filename }) => [name, filename])).toEqual([
			['image[]', 'a.png'],
			['image[]', 'b.png'],
			['mask', 'mask.png'],
		]);
		expect(fields).toMatchObject({ n: '2' });
	});

	const latin1 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

	test.each([
		{
			title: 'a PDF',
			file: image('scan.pdf', latin1('%PDF-1.7\n'), 'application/pdf'),
			message: /^Model servers cannot read the file "scan.pdf"/,
		},
		{
			title: 'the error of a download',
			file: image('fox.png', latin1('<!DOCTYPE html><title>Sign in</title>')),
			message: /^Model servers cannot read the file "fox.png"/,
		},
		{
			title: 'a recording',
			file: image('call.wav', latin1('RIFF\x24\0\0\0WAVEfmt '), 'audio/wav'),
			message: /^The file "call.wav" \(audio\/wav, 16 bytes\) is not an image$/,
		},
		{
			title: 'a photo of a phone',
			file: image('IMG.heic', latin1('\0\0\0\x18ftypheic\0\0\0\0'), 'image/heic'),
			message: /^Model servers cannot read the file "IMG.heic"/,
		},
	])('$title is an error before anything is sent, also as the mask', async ({ file, message }) => {
		const sim = await startSd();
		const asImage = await getError({}, buildEdit(sim, { data: file }));
		expect(asImage.message).toMatch(message);
		const binary = { data: image('fox.png'), mask: file };
		const asMask = await getError({}, buildEdit(sim, binary, { options: { mask: 'mask' } }));
		expect(asMask.message).toMatch(message);
		expect(sim.forms).toEqual([]);
	});

	test('a field that is missing, none, and a prompt without words are errors that name them', async () => {
		const sim = await startSd();
		const fail = async (parameters: Record<string, unknown>) => {
			const { message, description } = await getError(
				{},
				buildEdit(sim, { data: image('fox.png') }, parameters),
			);
			return `${message} | ${description}`;
		};
		expect(await fail({ binaryFields: 'photo' })).toContain(
			"The item has no binary field 'photo'. The item has: data",
		);
		expect(await fail({ options: { mask: 'mask' } })).toContain("no binary field 'mask'");
		expect(await fail({ binaryFields: ' , ' })).toContain(
			'The field "Input Binary Fields" is empty | Enter the field that contains the image.',
		);
		expect(await fail({ prompt: ' ' })).toContain('Describe the change in the field Prompt.');
		expect(sim.forms).toEqual([]);
	});

	test('a rejection names the files', async () => {
		const sim = await startSd();
		const error = { error: 'mask and image have different sizes' };
		sim.route('POST /v1/images/edits', jsonReply(error, 400));
		const binary = { data: image('fox.png'), mask: image('mask.png') };
		const failed = await getError({}, buildEdit(sim, binary, { options: { mask: 'mask' } }));
		expect(failed.message).toBe('mask and image have different sizes');
		expect(failed.description).toContain(
			'Files sent: "fox.png" (image/png, 70 bytes), "mask.png" (image/png, 70 bytes)',
		);
	});

	test('a photo that lies on its side is sent with a hint', async () => {
		const sim = await startSd();
		const photo = latin1('\xff\xd8\xff\xe1Exif\0\0\x01\x12\0\x03\0\0\0\x01\0\x06\xff\xd9');
		const fake = prepare(buildEdit(sim, { data: image('photo.jpg', photo, 'image/jpeg') }));
		await executeIn(fake);
		expect(fake.hints).toMatchObject([
			{ message: expect.stringContaining('is rotated (EXIF orientation 6)') as string },
		]);
	});

	test('files of a chat message that are not sent are told, once', async () => {
		const sim = await startSd();
		const binary = {
			data0: image('fox.png'),
			data1: image('mask.png'),
			data2: image('call.wav', PNG, 'audio/wav'),
			data3: image('other.png'),
		};
		const options = { mask: 'data1' };
		const setup = buildEdit(sim, binary, { binaryFields: 'data0', options });
		const json = { sessionId: '1', action: 'sendMessage', chatInput: 'blue' };
		const fake = prepare({ ...setup, items: [{ json, binary }] });
		await executeIn(fake);
		const messages = fake.hints.map(({ message }) => message);
		expect(messages).toEqual([
			'2 files were not sent: call.wav (only images are edited); other.png (Input Binary Fields does not name data3). To send such files, enter these names, too.',
		]);
	});

	test('a server without the route: the error names servers that edit', async () => {
		const sim = await startSd();
		sim.route('POST /v1/images/edits', { status: 404, headers: [] });
		const failed = await getError({}, buildEdit(sim, { data: image('fox.png') }));
		expect(failed.message).toBe('The server cannot edit images with this model');
		expect(failed.description).toContain('another server with /v1/images/edits');
	});
});

test('image: one item per image, with metadata for agents, which do not receive the file', async () => {
	const sim = await startSd();
	const fake = prepare({
		credentials: { baseUrl: sim.url },
		parameters: {
			resource: 'image',
			operation: 'generate',
			model: '',
			prompt: 'a cat',
			options: {
				count: 2,
				size: '512 x 768',
				outputFormat: 'png',
				seed: 5,
				fileName: 'cat',
				extraBody: '{"steps":8}',
				simplify: false,
			},
		},
	});
	const items = await executeIn(fake);
	expect(items.map(({ binary }) => binary!.data!.fileName)).toEqual(['cat-1.png', 'cat-2.png']);
	expect(items[0]).toMatchObject({
		json: {
			output: { fileName: 'cat-1.png', mimeType: 'image/png', bytes: 70, width: 1, height: 1 },
			metadata: { prompt: 'a cat', model: 'sd-cpp-local' },
		},
		binary: { data: { data: PNG, mimeType: 'image/png' } },
		pairedItem: { item: 0 },
	});
	expect(fake.hints).toMatchObject([
		{ message: 'The server returned an image of 1x1 pixels instead of 512x768.' },
	]);
	expect(sim.requests.at(-1)!.body).toEqual({
		model: 'sd-cpp-local',
		prompt: 'a cat',
		n: 2,
		size: '512x768',
		output_format: 'png',
		seed: 5,
		response_format: 'b64_json',
		steps: 8,
	});
});
