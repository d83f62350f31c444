import * as fc from 'fast-check';

import { parseGguf } from '../support/gguf';
import { fs, os, path } from '../support/node';
import { loadScript } from '../support/scripts';

interface MiniLmScript {
	ggufName(name: string): string | undefined;
	ggufToken(token: string): string;
	convertBert(folder: string, pooling: 'mean' | 'rank'): Uint8Array;
}

interface SafetensorsScript {
	encodeSafetensors(tensors: Array<{ name: string; shape: number[]; data: Float32Array }>): Buffer;
	readSafetensors(bytes: Uint8Array): Map<string, { shape: number[]; data: Float32Array }>;
}

interface Stored {
	name: string;
	shape: number[];
	values: number[];
	dtype?: string;
}

const product = (shape: number[]): number => shape.reduce((all, size) => all * size, 1);

/** A safetensors file; the header ends with `padding` spaces. */
function safetensors(tensors: Stored[], padding = 0): Buffer {
	let offset = 0;
	const header = Object.fromEntries(
		tensors.map(({ name, shape, values, dtype = 'F32' }) => {
			const range = [offset, (offset += 4 * values.length)];
			return [name, { dtype, shape, data_offsets: range }];
		}),
	);
	const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...header }) + ' '.repeat(padding);
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
	const data = tensors.map(({ values }) => Buffer.from(Float32Array.from(values).buffer));
	return Buffer.concat([length, Buffer.from(text), ...data]);
}

describe('safetensors', () => {
	const stored = fc
		.tuple(fc.string({ minLength: 1 }), fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }))
		.chain(([name, shape]) =>
			fc
				.array(fc.float({ noNaN: true }), { minLength: product(shape), maxLength: product(shape) })
				.map((values) => ({ name: `t:${name}`, shape, values })),
		);

	it('every tensor comes back, wherever in the file it lies', async () => {
		const { readSafetensors } = await loadScript<SafetensorsScript>('safetensors');
		const list = fc.uniqueArray(stored, { selector: ({ name }) => name });
		fc.assert(
			fc.property(list, fc.nat(8), (tensors, padding) => {
				const read = readSafetensors(safetensors(tensors, padding));
				expect(
					[...read].map(([name, { shape, data }]) => ({ name, shape, values: [...data] })),
				).toEqual(tensors);
			}),
		);
	});

	it('what is written is read back', async () => {
		const { encodeSafetensors, readSafetensors } =
			await loadScript<SafetensorsScript>('safetensors');
		const list = fc.uniqueArray(stored, { selector: ({ name }) => name });
		fc.assert(
			fc.property(list, (tensors) => {
				const data = tensors.map(({ name, shape, values }) => ({
					name,
					shape,
					data: Float32Array.from(values),
				}));
				const read = readSafetensors(encodeSafetensors(data));
				expect([...read].map(([name, tensor]) => ({ name, ...tensor }))).toEqual(data);
			}),
		);
	});

	it('tensors of other kinds are left out, and one whose size is wrong is named', async () => {
		const { readSafetensors } = await loadScript<SafetensorsScript>('safetensors');
		const ids = { name: 'ids', shape: [1], values: [1], dtype: 'I64' };
		expect(readSafetensors(safetensors([ids])).size).toBe(0);
		expect(() => readSafetensors(safetensors([{ name: 'a', shape: [3], values: [1] }]))).toThrow(
			'Tensor a of shape 3 has 4 bytes',
		);
	});
});

describe('BERT as GGUF', () => {
	it.each([
		['embeddings.word_embeddings.weight', 'token_embd.weight'],
		['embeddings.LayerNorm.bias', 'token_embd_norm.bias'],
		['encoder.layer.11.attention.self.query.bias', 'blk.11.attn_q.bias'],
		['encoder.layer.0.attention.output.LayerNorm.weight', 'blk.0.attn_output_norm.weight'],
		['encoder.layer.0.output.dense.weight', 'blk.0.ffn_down.weight'],
		['pooler.dense.weight', undefined],
	])('%s is %s', async (own, wanted) => {
		const { ggufName } = await loadScript<MiniLmScript>('minilm');
		expect(ggufName(own)).toBe(wanted);
	});

	it.each([
		['cat', '▁cat'],
		['##s', 's'],
		['[CLS]', '[CLS]'],
		['[unused0]', '▁[unused0]'],
	])('the token %s is %s', async (own, wanted) => {
		const { ggufToken } = await loadScript<MiniLmScript>('minilm');
		expect(ggufToken(own)).toBe(wanted);
	});

	it('settings, vocabulary and tensors of a model, and a head where one is wanted', async () => {
		const { convertBert } = await loadScript<MiniLmScript>('minilm');
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bert-test-'));
		try {
			const sizes = {
				hidden_size: 2,
				num_hidden_layers: 1,
				num_attention_heads: 1,
				intermediate_size: 4,
			};
			const config = {
				...sizes,
				max_position_embeddings: 8,
				layer_norm_eps: 0.5,
				type_vocab_size: 2,
			};
			fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
			fs.writeFileSync(
				path.join(folder, 'vocab.txt'),
				'[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\n##s\n',
			);
			const words = {
				name: 'embeddings.word_embeddings.weight',
				shape: [7, 2],
				values: Array.from({ length: 14 }, Number),
			};
			fs.writeFileSync(
				path.join(folder, 'model.safetensors'),
				safetensors([words, { name: 'pooler.dense.bias', shape: [2], values: [1, 2] }]),
			);
			const mean = parseGguf(Buffer.from(convertBert(folder, 'mean')));
			expect(mean.metadata).toMatchObject({
				'general.architecture': 'bert',
				'bert.context_length': 8,
				'bert.pooling_type': 1,
				'tokenizer.ggml.tokens': ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '▁cat', 's'],
				'tokenizer.ggml.token_type': [3, 3, 3, 3, 3, 1, 1],
				'tokenizer.ggml.cls_token_id': 2,
				'tokenizer.ggml.seperator_token_id': 3,
			});
			expect(mean.tensors).toMatchObject([{ name: 'token_embd.weight', shape: [2, 7] }]);
			const rank = parseGguf(Buffer.from(convertBert(folder, 'rank')));
			expect(rank.metadata).toMatchObject({ 'bert.pooling_type': 4 });
			expect(rank.tensors.map(({ name, shape }) => [name, shape])).toEqual([
				['token_embd.weight', [2, 7]],
				['cls.weight', [2, 2]],
				['cls.bias', [2]],
				['cls.output.weight', [2, 1]],
				['cls.output.bias', [1]],
			]);
		} finally {
			fs.rmSync(folder, { recursive: true, force: true });
		}
	});
});
