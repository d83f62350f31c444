/** Encodes the same tool calls in the way of each server: whole or in pieces, with its deviations. */
import * as fc from 'fast-check';

export interface SentCall {
	name: string;
	/** JSON text. */
	args: string;
}

type Delta = Record<string, unknown>;
type Encoder = (calls: readonly SentCall[], cut: (text: string) => string[]) => Delta[];

let ids = 0;
const newId = () => `call_${(ids += 1)}`;
const piece = (index: number | undefined, fn: object, more: object = {}): Delta => ({
	tool_calls: [{ ...(index === undefined ? {} : { index }), ...more, function: fn }],
});

/** OpenAI's format: ID and name first, then pieces of the arguments. */
const standard =
	(indexOf: (at: number) => number | undefined, first: object): Encoder =>
	(calls, cut) =>
		calls.flatMap(({ name, args }, at) => [
			piece(indexOf(at), { name, ...first }, { id: newId(), type: 'function' }),
			...cut(args).map((text) => piece(indexOf(at), { arguments: text })),
		]);

const whole =
	(indexOf: (at: number) => number | undefined, object = false): Encoder =>
	(calls) =>
		calls.map(({ name, args }, at) =>
			piece(
				indexOf(at),
				{ name, arguments: object ? (JSON.parse(args) as unknown) : args },
				{ id: newId() },
			),
		);

export const ENCODERS: Record<string, Encoder> = {
	vllm: standard((at) => at, { arguments: '' }),
	'vllm, the name alone first': standard((at) => at, {}),
	llamaServer: standard((at) => at, { arguments: '' }),
	lmdeploy: standard(() => 0, { arguments: '' }),
	'lmdeploy, the name alone first': standard(() => 0, {}),
	litellm: standard((at) => at, { arguments: null }),
	sglang: (calls, cut) =>
		calls.flatMap(({ name, args }, at) => [
			piece(at, { name, arguments: '' }, { id: newId() }),
			...cut(args).map((text) => piece(at, { name: null, arguments: text }, { id: newId() })),
		]),
	minimaxOnNim: (calls, cut) =>
		calls.flatMap(({ name, args }, at) => {
			const id = newId();
			return [...cut(args), ''].map((text) => piece(at, { name, arguments: text }, { id }));
		}),
	'minimaxOnNim, an id on every piece': (calls, cut) =>
		calls.flatMap(({ name, args }, at) =>
			[...cut(args), ''].map((text) => piece(at, { name, arguments: text }, { id: newId() })),
		),
	bedrock: (calls, cut) =>
		calls.flatMap(({ name, args }, at) => [
			piece(at, { name, arguments: {} }, { id: newId() }),
			...cut(args).map((text) => piece(at, { arguments: text })),
		]),
	'names in pieces': (calls, cut) =>
		calls.flatMap(({ name, args }, at) => {
			const [first = '', ...rest] = cut(name);
			return [
				piece(at, { name: first }, { id: newId() }),
				...rest.map((text) => piece(at, { name: text })),
				...cut(args).map((text) => piece(at, { arguments: text })),
			];
		}),
	tensorZero: (calls, cut) =>
		calls.flatMap(({ name, args }, at) => [
			piece(at, { name, arguments: '' }, { id: newId() }),
			...cut(args).map((text) => piece(at, { name: '', arguments: text }, { id: null })),
		]),
	exo: (calls) => [
		{
			tool_calls: calls.map(({ name, args }, index) => {
				const id = newId();
				return { id, index, type: 'function', function: { id, name, arguments: args } };
			}),
		},
	],
	ollama: whole(() => 0),
	vllmMlx: whole((at) => at),
	'whole, as objects': whole(() => undefined, true),
	'all in one chunk': (calls) => [
		{
			tool_calls: calls.map(({ name, args }) => ({
				id: newId(),
				index: 0,
				function: { name, arguments: args },
			})),
		},
	],
};

/** Any calls of these tools. */
export const anyCalls = (names: readonly string[]): fc.Arbitrary<SentCall[]> =>
	fc.array(
		fc.record({
			name: fc.constantFrom(...names),
			args: fc
				.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 })
				.map((value) => JSON.stringify(value)),
		}),
		{ minLength: 1, maxLength: 3 },
	);

/** A function that cuts a text into non-empty pieces. */
export const anyCutter: fc.Arbitrary<(text: string) => string[]> = fc
	.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 })
	.map((sizes) => (text: string) => {
		const pieces: string[] = [];
		for (let at = 0; at < text.length; ) {
			const size = sizes[pieces.length % sizes.length]!;
			pieces.push(text.slice(at, at + size));
			at += size;
		}
		return pieces;
	});
