import type { NumberRange } from '../../ranges';
import type { LoraAdapter, Sampler } from './sampler-types';

export type { LoraAdapter, Sampler } from './sampler-types';

const MAX_INTEGER = 2 ** 31 - 1;
const FRACTION: NumberRange = [0, 1];
const PENALTY: NumberRange = [-2, 2];
const COUNT: NumberRange = [0, MAX_INTEGER];

/**
 * The options of a generation, in the order in which they are sent. A new one is a row here: its type, its check, its
 * field in the editor and where that is shown all come from it.
 *
 * Ranges are those of llama-server v0.5.0 (`tools/server/server-schema.cpp`) and of OpenAI's API.
 */
export const SAMPLERS = {
	temperature: {
		type: 'number',
		label: 'Temperature',
		description: 'Higher is more random; 0 always takes the most likely token',
		wire: 'temperature',
		range: [0, 100],
		preset: 0.7,
	},
	topP: {
		type: 'number',
		label: 'Top P',
		description: 'Considers the most likely tokens until their probabilities add up to this; 1 = all',
		wire: 'top_p',
		range: FRACTION,
		preset: 0.95,
	},
	topK: {
		type: 'number',
		label: 'Top K',
		description: 'Considers only this many of the most likely tokens; 0 = all',
		wire: 'top_k',
		extra: true,
		range: COUNT,
		whole: true,
		preset: 40,
	},
	minP: {
		type: 'number',
		label: 'Min P',
		description: 'Drops tokens that are less likely than this fraction of the most likely one',
		wire: 'min_p',
		extra: true,
		range: FRACTION,
		preset: 0.05,
	},
	typicalP: {
		type: 'number',
		label: 'Typical P',
		description: 'Prefers tokens of typical probability; 1 = off',
		wire: 'typical_p',
		extra: true,
		range: FRACTION,
		preset: 1,
	},
	topNSigma: {
		type: 'number',
		label: 'Top N Sigma',
		description: 'Drops tokens whose score is more than this many standard deviations below the best; 0 or -1 = off',
		wire: 'top_n_sigma',
		extra: true,
		range: [-1, 100],
		preset: 1,
	},
	repeatPenalty: {
		type: 'number',
		label: 'Repeat Penalty',
		description: 'Makes repetitions less likely; 1 = off',
		wire: 'repeat_penalty',
		extra: true,
		range: [0, 100],
		preset: 1.1,
	},
	repeatLastN: {
		type: 'number',
		label: 'Repeat Last N',
		description: 'How many tokens the repeat penalty looks at; 0 = off',
		wire: 'repeat_last_n',
		extra: true,
		range: COUNT,
		whole: true,
		preset: 64,
	},
	presencePenalty: {
		type: 'number',
		label: 'Presence Penalty',
		description: 'Positive values make words that already occurred less likely',
		wire: 'presence_penalty',
		range: PENALTY,
		preset: 0,
	},
	frequencyPenalty: {
		type: 'number',
		label: 'Frequency Penalty',
		description: 'Positive values make words less likely the more often they already occurred',
		wire: 'frequency_penalty',
		range: PENALTY,
		preset: 0,
	},
	dryMultiplier: {
		type: 'number',
		label: 'DRY: Multiplier',
		description: 'Strength of the DRY sampler against repetitions; 0 = off',
		wire: 'dry_multiplier',
		extra: true,
		preset: 0.8,
	},
	dryBase: {
		type: 'number',
		label: 'DRY: Base',
		description: 'How fast the penalty grows with the length of the repetition',
		wire: 'dry_base',
		extra: true,
		preset: 1.75,
	},
	dryAllowedLength: {
		type: 'number',
		label: 'DRY: Allowed Length',
		description: 'Longest repetition that costs nothing',
		wire: 'dry_allowed_length',
		extra: true,
		range: COUNT,
		whole: true,
		preset: 2,
	},
	dryPenaltyLastN: {
		type: 'number',
		label: 'DRY: Penalty Last N',
		description: 'How many tokens the DRY sampler looks at; 0 = off',
		wire: 'dry_penalty_last_n',
		extra: true,
		range: COUNT,
		whole: true,
		preset: 64,
	},
	drySequenceBreakers: {
		type: 'texts',
		label: 'DRY: Sequence Breakers',
		description: 'Texts that end a repetition. Write \\n for a line break.',
		wire: 'dry_sequence_breakers',
		extra: true,
		addButton: 'Add Breaker',
		placeholder: '\\n',
	},
	xtcProbability: {
		type: 'number',
		label: 'XTC: Probability',
		description: 'How often the most likely tokens are left out; 0 = off',
		wire: 'xtc_probability',
		extra: true,
		range: FRACTION,
		preset: 0.5,
	},
	xtcThreshold: {
		type: 'number',
		label: 'XTC: Threshold',
		description: 'How likely a token must be to be left out',
		wire: 'xtc_threshold',
		extra: true,
		range: FRACTION,
		preset: 0.1,
	},
	mirostat: {
		type: 'number',
		label: 'Mirostat',
		description: 'Keeps the text equally surprising throughout; replaces Top K, Top P and Min P',
		wire: 'mirostat',
		extra: true,
		range: [0, 2],
		whole: true,
		preset: 0,
		choices: [
			{ name: 'Off', value: 0 },
			{ name: 'Version 1', value: 1 },
			{ name: 'Version 2', value: 2 },
		],
	},
	mirostatTau: {
		type: 'number',
		label: 'Mirostat: Tau',
		description: 'How surprising the text should be',
		wire: 'mirostat_tau',
		extra: true,
		preset: 5,
	},
	mirostatEta: {
		type: 'number',
		label: 'Mirostat: Eta',
		description: 'How fast Mirostat adapts',
		wire: 'mirostat_eta',
		extra: true,
		preset: 0.1,
	},
	seed: {
		type: 'number',
		label: 'Seed',
		description: 'The same seed gives the same answer, as far as the server can; -1 = random',
		wire: 'seed',
		whole: true,
		preset: 42,
	},
	stop: {
		type: 'texts',
		label: 'Stop Sequences',
		description: 'Texts at which the answer ends. Write \\n for a line break.',
		wire: 'stop',
		addButton: 'Add Stop Sequence',
	},
	maxTokens: {
		type: 'number',
		label: 'Maximum Tokens',
		description: 'How many tokens to generate at most, thinking included. -1 = no limit.',
		wire: 'max_tokens',
		range: [-1, MAX_INTEGER],
		whole: true,
		preset: 2048,
	},
	parallelToolCalls: {
		type: 'switch',
		label: 'Parallel Tool Calls',
		description:
			'Whether the model may call several tools in one answer, where its template can. Some models do so regardless.',
		wire: 'parallel_tool_calls',
		extra: true,
	},
	cachePrompt: {
		type: 'switch',
		label: 'Cache Prompt',
		description:
			'Whether the server may reuse what it computed for the same beginning of an earlier prompt. On by default in llama-server.',
		wire: 'cache_prompt',
		extra: true,
	},
	cacheReuse: {
		type: 'number',
		label: 'Cache Reuse',
		description:
			'Shortest piece of an earlier prompt, in tokens, that llama-server may reuse although something before it was left out, as when the memory drops old messages. Try 128; 0 = off.',
		wire: 'n_cache_reuse',
		extra: true,
		own: true,
		range: COUNT,
		whole: true,
		preset: 128,
	},
	slotId: {
		type: 'number',
		label: 'Slot ID',
		description:
			'Slot of the server that is to be used, for a prompt cache of its own; waits until that slot is free. -1 = any.',
		wire: 'id_slot',
		extra: true,
		range: [-1, MAX_INTEGER],
		whole: true,
		preset: 0,
	},
	chatTemplateArguments: {
		type: 'object',
		label: 'Chat Template Arguments',
		description: 'JSON object handed to the chat template of the model (chat_template_kwargs)',
		wire: 'chat_template_kwargs',
		extra: true,
	},
	lora: {
		type: 'adapters',
		label: 'LoRA Adapters',
		description: 'Adapters of llama-server (--lora) for this answer, and how strongly they count',
		wire: 'lora',
		extra: true,
		own: true,
	},
	contextSize: {
		type: 'number',
		label: 'Context Size',
		description:
			'Tokens of context that Ollama runs the model with (num_ctx). Use the same in every node: each change loads the model anew.',
		wire: 'num_ctx',
		extra: true,
		own: true,
		range: [1, MAX_INTEGER],
		whole: true,
		preset: 8192,
	},
	keepAlive: {
		type: 'duration',
		label: 'Keep Alive',
		description:
			'How long Ollama keeps the model in memory: a duration such as 30m, a number of seconds, or -1 for ever. Ollama only.',
		wire: 'keep_alive',
		extra: true,
		own: true,
		preset: '30m',
		placeholder: 'e.g. 30m',
	},
} as const satisfies Record<string, Sampler>;

export type SamplerName = keyof typeof SAMPLERS;

interface ValueOf {
	number: number;
	switch: boolean;
	texts: string[];
	object: Record<string, unknown>;
	duration: string | number;
	adapters: LoraAdapter[];
}

/** The values of a generation. A field that is not set is not sent. */
export type SamplerValues = { [Name in SamplerName]?: ValueOf[(typeof SAMPLERS)[Name]['type']] };

/** Every option with its name, in the order in which they are sent. */
export const SAMPLER_ENTRIES = Object.entries(SAMPLERS) as ReadonlyArray<[SamplerName, Sampler]>;
