/**
 * Generation parameters: types, limits, and their form in answers (docs/protocols/llama-server.md 2.6, 2.3, 2.4).
 */
import { invalidRequest } from './errors';
import { double, Float, single, typeName } from './json';

type Body = Readonly<Record<string, unknown>>;

interface Field {
	/** The first present name is used. */
	names: readonly string[];
	/** `long` is the only number type that does not accept booleans. */
	kind: 'int' | 'long' | 'float' | 'bool' | 'string';
	/** Values out of range are an error; soft limits clamp silently. */
	hard?: readonly [number, number];
	soft?: readonly [number, number];
}

const INT_MAX = 2147483647;

/** In llama-server's order: only the first wrong field is reported. */
const fields = (slots: number): Field[] => [
	{ names: ['verbose'], kind: 'bool' },
	{ names: ['timings_per_token'], kind: 'bool' },
	{ names: ['stream'], kind: 'bool' },
	{ names: ['cache_prompt'], kind: 'bool' },
	{ names: ['return_tokens'], kind: 'bool' },
	{ names: ['return_progress'], kind: 'bool' },
	{ names: ['sse_ping_interval'], kind: 'int', hard: [-1, INT_MAX] },
	{ names: ['n_predict', 'max_completion_tokens', 'max_tokens'], kind: 'int', hard: [-1, INT_MAX] },
	{ names: ['n_indent'], kind: 'int', hard: [0, INT_MAX] },
	{ names: ['n_keep'], kind: 'int', hard: [-1, INT_MAX] },
	{ names: ['n_discard'], kind: 'int', hard: [0, INT_MAX] },
	{ names: ['n_cmpl', 'n'], kind: 'int', hard: [1, slots] },
	{ names: ['n_cache_reuse'], kind: 'int', hard: [0, INT_MAX] },
	{ names: ['t_max_predict_ms'], kind: 'long', hard: [-1, 2 ** 63] },
	{ names: ['top_k'], kind: 'int', soft: [0, INT_MAX] },
	{ names: ['top_p'], kind: 'float', soft: [0, 1] },
	{ names: ['min_p'], kind: 'float', soft: [0, 1] },
	{ names: ['top_n_sigma'], kind: 'float' },
	{ names: ['xtc_probability'], kind: 'float', soft: [0, 1] },
	{ names: ['xtc_threshold'], kind: 'float', soft: [0, 1] },
	{ names: ['typical_p'], kind: 'float' },
	{ names: ['temperature'], kind: 'float', soft: [0, Infinity] },
	{ names: ['dynatemp_range'], kind: 'float' },
	{ names: ['dynatemp_exponent'], kind: 'float' },
	{ names: ['repeat_last_n'], kind: 'int', hard: [0, INT_MAX] },
	{ names: ['repeat_penalty'], kind: 'float' },
	{ names: ['frequency_penalty'], kind: 'float' },
	{ names: ['presence_penalty'], kind: 'float' },
	{ names: ['dry_multiplier'], kind: 'float' },
	{ names: ['dry_base'], kind: 'float' },
	{ names: ['dry_allowed_length'], kind: 'int', hard: [0, INT_MAX] },
	{ names: ['dry_penalty_last_n'], kind: 'int', hard: [0, INT_MAX] },
	{ names: ['mirostat'], kind: 'int', soft: [0, 2] },
	{ names: ['mirostat_tau'], kind: 'float' },
	{ names: ['mirostat_eta'], kind: 'float' },
	{ names: ['adaptive_target'], kind: 'float' },
	{ names: ['adaptive_decay'], kind: 'float', hard: [0, 0.99] },
	{ names: ['seed'], kind: 'int' },
	{ names: ['n_probs', 'logprobs'], kind: 'int' },
	{ names: ['min_keep'], kind: 'int', hard: [0, INT_MAX] },
	{ names: ['post_sampling_probs'], kind: 'bool' },
	{ names: ['reasoning_format'], kind: 'string' },
	{ names: ['reasoning_control'], kind: 'bool' },
	{ names: ['reasoning_budget_tokens'], kind: 'int', hard: [-1, INT_MAX] },
	{ names: ['ignore_eos'], kind: 'bool' },
];

/** C++ `std::to_string`. */
const limitText = (value: number, kind: Field['kind']): string => {
	if (kind === 'float') return value.toFixed(6);
	return value === 2 ** 63 ? '9223372036854775807' : String(value);
};

const present = (body: Body, names: readonly string[]): string | undefined =>
	names.find((name) => body[name] !== undefined && body[name] !== null);

const checkField = (body: Body, { names, kind, hard }: Field): void => {
	const name = present(body, names);
	if (name === undefined) return;
	const value = body[name];
	const expectedType = kind === 'bool' ? 'boolean' : kind === 'string' ? 'string' : 'number';
	// The JSON library accepts booleans as numbers, except for 64-bit integers.
	const lenient = kind === 'int' || kind === 'float';
	const fits = typeof value === expectedType || (lenient && typeof value === 'boolean');
	if (!fits) {
		throw invalidRequest(
			`Field '${name}': [json.exception.type_error.302] type must be ${expectedType}, but is ${typeName(value)}`,
		);
	}
	if (!hard) return;
	const number = kind === 'float' ? Number(value) : Math.trunc(Number(value));
	if (number >= hard[0] && number <= hard[1]) return;
	const [low, high, got] = [hard[0], hard[1], number].map((limit) => limitText(limit, kind));
	throw invalidRequest(
		`Field '${name}': Value must be between ${low} <= value <= ${high}, but got ${got}`,
	);
};

/** @throws the server's error for a field of the wrong type or out of range */
export const checkParams = (body: Body, slots: number): void => {
	for (const field of fields(slots)) {
		checkField(body, field);
		if (field.names[0] !== 'stream') continue;
		const options = body.stream_options;
		if (options !== null && typeof options === 'object') {
			checkField(options as Body, { names: ['include_usage'], kind: 'bool' });
		}
	}
	const breakers = body.dry_sequence_breakers;
	if (
		breakers !== undefined &&
		breakers !== null &&
		(!Array.isArray(breakers) || breakers.length === 0)
	) {
		throw invalidRequest(
			"Field 'dry_sequence_breakers': Error: dry_sequence_breakers must be a non-empty array of strings",
		);
	}
};

/** The value of a field after clamping; `fallback` if absent. */
export const paramNumber = (body: Body, name: string, fallback: number): number => {
	const field = fields(1).find(({ names }) => names[0] === name)!;
	const sentName = present(body, field.names);
	if (sentName === undefined) return fallback;
	const number =
		field.kind === 'float' ? Number(body[sentName]) : Math.trunc(Number(body[sentName]));
	return field.soft ? Math.max(field.soft[0], Math.min(field.soft[1], number)) : number;
};

const SAMPLERS = [
	'penalties',
	'dry',
	'top_n_sigma',
	'top_k',
	'typ_p',
	'top_p',
	'min_p',
	'xtc',
	'temperature',
];

/** The request's parameters in answers: all in `generation_settings`, without the long ones in `/slots` and `/props`. */
export const paramsReport = (
	body: Body,
	shown: { full: boolean; chatFormat: string; reasoningFormat: string; generationPrompt: string },
): object => {
	const float = (name: string, fallback: number): Float =>
		single(paramNumber(body, name, fallback));
	const int = (name: string, fallback: number): number => paramNumber(body, name, fallback);
	const flag = (name: string): boolean => body[name] === true;
	const long = (value: object): object => (shown.full ? value : {});
	const seed = int('seed', -1);
	const nPredict = int('n_predict', -1);
	return {
		seed: seed < 0 ? seed + 4294967296 : seed,
		temperature: float('temperature', 0.8),
		dynatemp_range: float('dynatemp_range', 0),
		dynatemp_exponent: float('dynatemp_exponent', 1),
		top_k: int('top_k', 40),
		top_p: float('top_p', 0.95),
		min_p: float('min_p', 0.05),
		top_n_sigma: float('top_n_sigma', -1),
		xtc_probability: float('xtc_probability', 0),
		xtc_threshold: float('xtc_threshold', 0.1),
		typical_p: float('typical_p', 1),
		repeat_last_n: int('repeat_last_n', 64),
		repeat_penalty: float('repeat_penalty', 1),
		presence_penalty: float('presence_penalty', 0),
		frequency_penalty: float('frequency_penalty', 0),
		dry_multiplier: float('dry_multiplier', 0),
		dry_base: float('dry_base', 1.75),
		dry_allowed_length: int('dry_allowed_length', 2),
		dry_penalty_last_n: int('dry_penalty_last_n', 64),
		...long({ dry_sequence_breakers: body.dry_sequence_breakers ?? ['\n', ':', '"', '*'] }),
		mirostat: int('mirostat', 0),
		mirostat_tau: float('mirostat_tau', 5),
		mirostat_eta: float('mirostat_eta', 0.1),
		adaptive_target: float('adaptive_target', -1),
		adaptive_decay: float('adaptive_decay', 0.9),
		...long({ stop: [body.stop ?? []].flat() }),
		max_tokens: nPredict,
		n_predict: nPredict,
		n_keep: int('n_keep', 0),
		n_discard: int('n_discard', 0),
		ignore_eos: flag('ignore_eos'),
		stream: flag('stream'),
		...long({ logit_bias: [] }),
		n_probs: typeof body.n_probs === 'number' ? body.n_probs : 0,
		min_keep: int('min_keep', 0),
		...long({ grammar: '', grammar_lazy: false, grammar_triggers: [], preserved_tokens: [] }),
		chat_format: shown.chatFormat,
		reasoning_format: shown.reasoningFormat,
		reasoning_in_content: false,
		generation_prompt: shown.generationPrompt,
		samplers: SAMPLERS,
		'speculative.types': 'none',
		timings_per_token: flag('timings_per_token'),
		post_sampling_probs: flag('post_sampling_probs'),
		backend_sampling: false,
		lora: [],
	};
};

export interface Timings {
	cache_n?: number;
	prompt_n: number;
	prompt_ms: Float;
	prompt_per_token_ms: Float;
	prompt_per_second: Float;
	predicted_n: number;
	predicted_ms: Float;
	predicted_per_token_ms: Float;
	predicted_per_second: Float;
}

/** Timings from artificial durations. Like on the server, rates do not count the first token. */
export const timings = (cached: number, processed: number, predicted: number): Timings => {
	const promptMs = processed * 0.25;
	const steps = Math.max(0, predicted - 1);
	const predictedMs = steps === 0 ? 0.001 : steps * 0.5;
	return {
		cache_n: cached,
		prompt_n: processed,
		prompt_ms: double(promptMs),
		prompt_per_token_ms: double(processed > 0 ? promptMs / processed : 0),
		prompt_per_second: double(promptMs > 0 ? (1e3 / promptMs) * processed : 0),
		predicted_n: predicted,
		predicted_ms: double(predictedMs),
		predicted_per_token_ms: double(steps > 0 ? predictedMs / steps : 0),
		predicted_per_second: double((1e3 / predictedMs) * steps),
	};
};
