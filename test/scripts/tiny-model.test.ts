import { fs, os, path } from '../support/node';
import { parseGguf } from '../support/gguf';
import { loadScript } from '../support/scripts';

interface GgufScript {
	encodeGguf(
		metadata: Record<string, unknown>,
		tensors: Array<{ name: string; shape: number[]; data: Float32Array }>,
	): Uint8Array;
}

interface TinyModelScript {
	writeTinyModel(file: string, options?: { seed?: number; chatTemplate?: boolean | string }): void;
	writeScriptedModel(
		file: string,
		replies: Array<{ reply: string; contains?: string; last?: string }>,
	): void;
}

let dir: string;

beforeAll(() => {
	dir = fs.mkdtempSync(path.join(os.tmpdir(), 'model-test-'));
});

afterAll(() => {
	fs.rmSync(dir, { recursive: true, force: true });
});

it('writes the header, every kind of value, and tensors on borders of 32 bytes', async () => {
	const { encodeGguf } = await loadScript<GgufScript>('gguf');
	const tensors = [
		{ name: 'three', shape: [3], data: Float32Array.of(1, 2, 3) },
		{ name: 'four', shape: [2, 2], data: Float32Array.of(4, 5, 6, 7) },
	];
	const metadata = {
		'a.number': { u32: 7 },
		'a.float': { f32: 0.5 },
		'a.switch': { bool: true },
		'a.text': { string: 'Grüße' },
		'a.list': { strings: ['x', ''] },
		'a.row': { i32s: [1, 2] },
	};
	const bytes = Buffer.from(encodeGguf(metadata, tensors));
	const parsed = parseGguf(bytes);
	expect(parsed).toMatchObject({ magic: 'GGUF', version: 3 });
	expect(parsed.metadata).toEqual({
		'a.number': 7,
		'a.float': 0.5,
		'a.switch': true,
		'a.text': 'Grüße',
		'a.list': ['x', ''],
		'a.row': [1, 2],
	});
	expect(parsed.tensors).toEqual([
		{ name: 'three', shape: [3], type: 0, offset: 0 },
		{ name: 'four', shape: [2, 2], type: 0, offset: 32 },
	]);
	expect(bytes.readFloatLE(parsed.dataAt + 32)).toBe(4);
	expect(bytes.length).toBe(parsed.dataAt + 64);
});

it('refuses a tensor whose shape does not fit', async () => {
	const { encodeGguf } = await loadScript<GgufScript>('gguf');
	const wrong = [{ name: 'wrong', shape: [2], data: Float32Array.of(1) }];
	expect(() => encodeGguf({}, wrong)).toThrow('wrong');
});

it('writes the same model for the same seed, and another for another', async () => {
	const { writeTinyModel } = await loadScript<TinyModelScript>('tiny-model');
	const written = [1, 1, 2].map((seed, index) => {
		const file = path.join(dir, `${index}.gguf`);
		writeTinyModel(file, { seed });
		return fs.readFileSync(file);
	});
	expect(written[0]?.equals(written[1] ?? Buffer.alloc(0))).toBe(true);
	expect(written[0]?.equals(written[2] ?? Buffer.alloc(0))).toBe(false);
	expect(written[0]?.length).toBeLessThan(600_000);
});

it('writes a byte-level vocabulary, and a chat template unless told otherwise', async () => {
	const { writeTinyModel } = await loadScript<TinyModelScript>('tiny-model');
	const metadataOf = (options: { chatTemplate?: boolean | string }) => {
		const file = path.join(dir, 'template.gguf');
		writeTinyModel(file, options);
		return parseGguf(fs.readFileSync(file)).metadata;
	};
	const usual = metadataOf({});
	const tokens = usual['tokenizer.ggml.tokens'] as string[];
	expect(new Set(tokens).size).toBe(tokens.length);
	expect(tokens.slice(0, 256).every((token) => [...token].length === 1)).toBe(true);
	expect(tokens).toEqual(
		expect.arrayContaining(['A', '<|im_start|>', '<|im_end|>', '<tool_call>']),
	);
	expect(usual['llama.vocab_size']).toBe(tokens.length);
	expect(usual['tokenizer.chat_template']).toContain('<|im_start|>');
	expect(metadataOf({ chatTemplate: false })).not.toHaveProperty(['tokenizer.chat_template']);
	expect(metadataOf({ chatTemplate: '{{ messages }}' })['tokenizer.chat_template']).toBe(
		'{{ messages }}',
	);
});

it('gives every place of every scripted reply a token of its own', async () => {
	const { writeScriptedModel } = await loadScript<TinyModelScript>('tiny-model');
	const file = path.join(dir, 'scripted.gguf');
	writeScriptedModel(file, [
		{ contains: 'sum', last: 'user', reply: 'the the the the end' },
		{ reply: 'the end of the end: the llama 🦙' },
	]);
	const { metadata } = parseGguf(fs.readFileSync(file));
	const tokens = metadata['tokenizer.ggml.tokens'] as string[];
	expect(new Set(tokens).size).toBe(tokens.length);
	expect(metadata['tokenizer.chat_template']).toContain('"sum" in messages[-1].content');
});

it('lets replies end alike, and says when one cannot be told from another', async () => {
	const { writeScriptedModel } = await loadScript<TinyModelScript>('tiny-model');
	const file = path.join(dir, 'alike.gguf');
	writeScriptedModel(file, [
		{ contains: 'a', reply: 'yes' },
		{ contains: 'b', reply: 'Oh, yes' },
		{ reply: 'yes' },
	]);
	const tokens = parseGguf(fs.readFileSync(file)).metadata['tokenizer.ggml.tokens'] as string[];
	expect(tokens.filter((token) => token === 'yes')).toHaveLength(1);
	const unclear = [{ contains: 'a', reply: 'yes or no' }, { reply: 'yes ' }];
	expect(() => writeScriptedModel(file, unclear)).toThrow('followed by more in another one: yes ');
});
