/** The `options` of Ollama's native API, also from Extra Body (docs/protocols/ollama.md 4.2). */
import { finiteNumber, isRecord, type JsonRecord, recordOf, words } from '../../values';
import { takes } from './parameters';
import { SAMPLER_ENTRIES } from './samplers';
import type { ChatParameters } from '../types';

/** Ollama's names for fields of the OpenAI API and llama-server. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'num_predict',
	max_completion_tokens: 'num_predict',
	n_predict: 'num_predict',
};

/** Ollama's options and their types: another type gives a 500. */
const NATIVE_OPTIONS: ReadonlyMap<string, 'number' | 'switch' | 'texts'> = new Map([
	...SAMPLER_ENTRIES.flatMap(([name, { type, wire }]) =>
		(type === 'number' || type === 'texts') && takes('ollama', name)
			? [[OTHER_NAMES[wire] ?? wire, type] as const]
			: [],
	),
	['typical_p', 'number'],
	['num_keep', 'number'],
	['num_batch', 'number'],
	['num_gpu', 'number'],
	['num_thread', 'number'],
	['main_gpu', 'number'],
	['use_mmap', 'switch'],
	['draft_num_predict', 'number'],
]);

/** Removed options, which Ollama silently ignores. */
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

/** Top-level fields that users and n8n's own Ollama node put into `options`, where they have no effect. */
const OUTER_FIELDS: ReadonlySet<string> = new Set([
	'keep_alive',
	'format',
	'think',
	'truncate',
	'shift',
]);

/** Options that OpenAI's route supports, too. */
const TAKEN_BY_BOTH = new Set(
	SAMPLER_ENTRIES.filter(([, { extra }]) => extra !== true).map(([, { wire }]) => wire),
);

interface ExtraFields {
	options: JsonRecord;
	/** Top-level fields. */
	fields: JsonRecord;
	/** Removed options. */
	gone: string[];
}

/** Sorts Extra Body into `options` and top-level fields, wherever the user put them. */
export function sortExtraBody({ options, ...rest }: JsonRecord = {}): ExtraFields {
	const sorted: ExtraFields = { options: {}, fields: {}, gone: [] };
	const keep = (userName: string, value: unknown, isInside: boolean) => {
		const name = OTHER_NAMES[userName] ?? userName;
		const belongsInside = isInside ? !OUTER_FIELDS.has(name) : NATIVE_OPTIONS.has(name);
		if (GONE_OPTIONS.has(name)) sorted.gone.push(name);
		else if (belongsInside) sorted.options[name] = typed(name, value);
		else sorted.fields[name] = value;
	};
	for (const [name, value] of Object.entries(rest)) keep(name, value, false);
	for (const [name, value] of Object.entries(recordOf(options))) keep(name, value, true);
	return sorted;
}

const SWITCHES: ReadonlyMap<unknown, boolean> = new Map([
	['true', true],
	['false', false],
]);

function numberFromText(value: unknown): number | undefined {
	return typeof value === 'string' && value.trim() !== '' ? finiteNumber(Number(value)) : undefined;
}

/** Converts a value to its option's type: expressions give numbers as text, which Ollama refuses. */
function typed(name: string, value: unknown): unknown {
	switch (NATIVE_OPTIONS.get(name)) {
		case 'number':
			return numberFromText(value) ?? value;
		case 'switch':
			return SWITCHES.get(value) ?? value;
		case 'texts':
			return value === null ? value : [value].flat().map(words);
		default:
			return value;
	}
}

/** Samplers that only Ollama's native API supports. */
const OWN_SAMPLERS = SAMPLER_ENTRIES.filter(
	([name, { extra }]) => extra === true && takes('ollama', name),
);

const isSet = (value: unknown) => value !== undefined && value !== null;

/** Whether the request needs Ollama's native API, because the OpenAI one would silently ignore something. */
export function needsNativeApi(parameters: ChatParameters): boolean {
	const { thinking, extraBody } = parameters;
	if (thinking?.mode === 'on' || thinking?.mode === 'effort') return true;
	if (OWN_SAMPLERS.some(([name]) => isSet(parameters[name]))) return true;
	if (extraBody === undefined) return false;
	if (isRecord(extraBody.options)) return true;
	return Object.keys(extraBody).some(
		(name) => (NATIVE_OPTIONS.has(name) && !TAKEN_BY_BOTH.has(name)) || OUTER_FIELDS.has(name),
	);
}

/** The parameters that Ollama's OpenAI route supports, and the labels of the others. */
export function withoutNativeApi(parameters: ChatParameters): {
	parameters: ChatParameters;
	left: string[];
} {
	const own = OWN_SAMPLERS.filter(([name]) => isSet(parameters[name]));
	const names = new Set<string>(own.map(([name]) => name));
	return {
		parameters: Object.fromEntries(Object.entries(parameters).filter(([name]) => !names.has(name))),
		left: own.map(([, { label }]) => label),
	};
}

/** Removed Ollama options in Extra Body. */
export function removedOptions({ extraBody }: ChatParameters): string[] {
	return sortExtraBody(extraBody).gone;
}

/** The requested context size in tokens. */
export function contextSizeOf({ contextSize, extraBody }: ChatParameters): number | undefined {
	const size = sortExtraBody(extraBody).options.num_ctx ?? contextSize;
	return typeof size === 'number' ? size : undefined;
}

/** The `options` of a request. Extra Body overrides everything else. */
export function nativeOptions(parameters: ChatParameters): JsonRecord {
	const options: JsonRecord = {};
	for (const [name, { wire }] of SAMPLER_ENTRIES) {
		const value = parameters[name];
		const native = OTHER_NAMES[wire] ?? wire;
		if (isSet(value) && NATIVE_OPTIONS.has(native) && takes('ollama', name))
			options[native] = value;
	}
	return { ...options, ...sortExtraBody(parameters.extraBody).options };
}
