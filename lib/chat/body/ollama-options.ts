/** Options and fields of Ollama's native API: their names, and where each belongs. */
import { ollama } from '../../servers/types/ollama';
import type { JsonRecord } from '../../values/records';
import { asRecord } from '../../values/records';
import { supportsOption } from './sampling-fields';
import type { GenerationOptionName } from './generation-options';
import { GENERATION_OPTION_LIST } from './generation-options';
import type { SamplingSettings } from '../settings';
import { getOwn, setOwn } from '../../values/own-properties';

/** Ollama's names for fields of the OpenAI API and llama-server. */
const OLLAMA_OPTION_NAMES: Record<string, string> = {
	max_tokens: 'num_predict',
	max_completion_tokens: 'num_predict',
	n_predict: 'num_predict',
};

function toOllamaName(name: string) {
	return getOwn(OLLAMA_OPTION_NAMES, name) ?? name;
}

/** An option of the node that Ollama supports. */
interface OllamaOption {
	name: GenerationOptionName;
	label: string;
	/** Name in Ollama's API. */
	native: string;
	/** Whether the OpenAI route ignores it. */
	isNativeOnly: boolean;
}

/** Options of the node that Ollama supports, with its names. */
export const OLLAMA_OPTIONS: readonly OllamaOption[] = GENERATION_OPTION_LIST.filter(
	({ name, kind }) => (kind === 'number' || kind === 'texts') && supportsOption(ollama, name),
).map(({ name, fieldName, extension, label }) => ({
	name,
	label,
	native: toOllamaName(fieldName),
	isNativeOnly: extension !== undefined,
}));

/** Options that the OpenAI route ignores, also those only available in Extra Body. */
export const NATIVE_ONLY_OPTIONS: ReadonlySet<string> = new Set([
	...OLLAMA_OPTIONS.filter(({ isNativeOnly }) => isNativeOnly).map(({ native }) => native),
	'typical_p',
	'num_keep',
	'num_batch',
	'num_gpu',
	'num_thread',
	'main_gpu',
	'use_mmap',
	'draft_num_predict',
]);

const NATIVE_OPTIONS: ReadonlySet<string> = new Set([
	...OLLAMA_OPTIONS.map(({ native }) => native),
	...NATIVE_ONLY_OPTIONS,
]);

/** Fields next to `options`. Users and n8n's Ollama node put them inside, without effect. */
export const OUTER_FIELDS: ReadonlySet<string> = new Set([
	'keep_alive',
	'format',
	'think',
	'truncate',
	'shift',
]);

/** Settings as Ollama's API takes them. */
interface OllamaSettings {
	/** Inside of `options`. */
	options: JsonRecord;
	/** Next to `options`. */
	fields: JsonRecord;
}

/** Sorts options and the fields of Extra Body, regardless of where the user put them. */
export function buildOptionsAndFields(sampling: SamplingSettings): OllamaSettings {
	const { options: extraOptions, ...extraFields } = sampling.extraBody ?? {};
	const options: JsonRecord = {};
	const fields: JsonRecord = {};
	for (const { name, native } of OLLAMA_OPTIONS)
		if (sampling[name] !== undefined) setOwn(options, native, sampling[name]);
	for (const [userName, value] of Object.entries(extraFields)) {
		const name = toOllamaName(userName);
		setOwn(NATIVE_OPTIONS.has(name) ? options : fields, name, value);
	}
	for (const [userName, value] of Object.entries(asRecord(extraOptions))) {
		const name = toOllamaName(userName);
		setOwn(OUTER_FIELDS.has(name) ? fields : options, name, value);
	}
	return { options, fields };
}
