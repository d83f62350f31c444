/** What goes into `options` of Ollama's own API, and what users put there (docs/protocols/ollama.md 4.2). */
import { isRecord, words } from '../../values';
import { takes } from '../request/parameters';
import { SAMPLER_ENTRIES } from '../request/samplers';
import type { ChatParameters } from '../types';

/** Names of the OpenAI API for what Ollama calls something else. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'num_predict',
	max_completion_tokens: 'num_predict',
	n_predict: 'num_predict',
};

/** The options that Ollama has, and their types: one of another type is a 500. */
const NATIVE_OPTIONS: ReadonlyMap<string, 'number' | 'switch' | 'texts'> = new Map([
	...SAMPLER_ENTRIES.flatMap(([name, { type, wire }]) =>
		(type === 'number' || type === 'texts') && takes('ollama', name)
			? [[OTHER_NAMES[wire] ?? wire, type] as const]
			: [],
	),
	['num_keep', 'number'],
	['num_batch', 'number'],
	['num_gpu', 'number'],
	['num_thread', 'number'],
	['main_gpu', 'number'],
	['use_mmap', 'switch'],
	['draft_num_predict', 'number'],
]);

/** Options that Ollama had once, and now passes over without a word. */
const GONE_OPTIONS: ReadonlySet<string> = new Set([
	'mirostat',
	'mirostat_tau',
	'mirostat_eta',
	'tfs_z',
	'penalize_newline',
	'low_vram',
	'use_mlock',
	'vocab_only',
	'numa',
	'f16_kv',
	'logits_all',
	'embedding_only',
]);

/** Fields of the request that do nothing inside `options`, where users and n8n's own Ollama node put them. */
const OUTER_FIELDS: ReadonlySet<string> = new Set(['keep_alive', 'format', 'think', 'truncate', 'shift']);

/** Options that OpenAI's route takes as well. */
const TAKEN_BY_BOTH = new Set(SAMPLER_ENTRIES.filter(([, { extra }]) => extra !== true).map(([, { wire }]) => wire));

interface ExtraFields {
	options: Record<string, unknown>;
	/** Beside `options`. */
	fields: Record<string, unknown>;
	/** Options that no longer exist. */
	gone: string[];
}

/** Extra Body sorted into what belongs into `options` and what belongs beside it, wherever the user wrote it. */
export function sortExtraBody({ options: given, ...rest }: Record<string, unknown> = {}): ExtraFields {
	const sorted: ExtraFields = { options: {}, fields: {}, gone: [] };
	const keep = (written: string, value: unknown, isInside: boolean) => {
		const name = OTHER_NAMES[written] ?? written;
		const belongsInside = isInside ? !OUTER_FIELDS.has(name) : NATIVE_OPTIONS.has(name);
		if (GONE_OPTIONS.has(name)) sorted.gone.push(name);
		else if (belongsInside) sorted.options[name] = typed(name, value);
		else sorted.fields[name] = value;
	};
	for (const [name, value] of Object.entries(rest)) keep(name, value, false);
	for (const [name, value] of Object.entries(isRecord(given) ? given : {})) keep(name, value, true);
	return sorted;
}

/** Expressions give numbers as text, which Ollama refuses. */
function typed(name: string, value: unknown): unknown {
	switch (NATIVE_OPTIONS.get(name)) {
		case 'number':
			return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
		case 'switch':
			return value === 'true' ? true : value === 'false' ? false : value;
		case 'texts':
			return value === null ? value : [value].flat().map(words);
		default:
			return value;
	}
}

/** Samplers that only Ollama's own API takes. */
const OWN_SAMPLERS = SAMPLER_ENTRIES.filter(([name, { extra }]) => extra === true && takes('ollama', name));

const isSet = (value: unknown) => value !== undefined && value !== null;

/** Whether only Ollama's own API can do what was asked for: the OpenAI one ignores it without a word. */
export function needsOwnApi(parameters: ChatParameters): boolean {
	const { thinking, extraBody } = parameters;
	if (thinking?.mode === 'on' || thinking?.mode === 'effort') return true;
	if (OWN_SAMPLERS.some(([name]) => isSet(parameters[name]))) return true;
	if (extraBody === undefined) return false;
	if (isRecord(extraBody.options)) return true;
	return Object.keys(extraBody).some(
		(name) => (NATIVE_OPTIONS.has(name) && !TAKEN_BY_BOTH.has(name)) || OUTER_FIELDS.has(name),
	);
}

/** The parameters without what only Ollama's own API can do, for a proxy that lets only the OpenAI one through. */
export function withoutOwnApi(parameters: ChatParameters): { parameters: ChatParameters; left: string[] } {
	const own = OWN_SAMPLERS.filter(([name]) => isSet(parameters[name]));
	const names = new Set<string>(own.map(([name]) => name));
	return {
		parameters: Object.fromEntries(Object.entries(parameters).filter(([name]) => !names.has(name))),
		left: own.map(([, { label }]) => label),
	};
}

/** Names in the parameters that Ollama no longer knows, beside those of the node's own options. */
export function goneOptions({ extraBody }: ChatParameters): string[] {
	return sortExtraBody(extraBody).gone;
}

/** Tokens of context that the request asks for. */
export function contextSizeOf({ contextSize, extraBody }: ChatParameters): number | undefined {
	const size = sortExtraBody(extraBody).options.num_ctx ?? contextSize;
	return typeof size === 'number' ? size : undefined;
}

/** What stands in `options`. Extra Body comes last, over everything else. */
export function nativeOptions(parameters: ChatParameters): Record<string, unknown> {
	const options: Record<string, unknown> = {};
	for (const [name, { wire }] of SAMPLER_ENTRIES) {
		const value = parameters[name];
		const native = OTHER_NAMES[wire] ?? wire;
		if (isSet(value) && NATIVE_OPTIONS.has(native) && takes('ollama', name)) options[native] = value;
	}
	return { ...options, ...sortExtraBody(parameters.extraBody).options };
}
