/**
 * Whether a request needs Ollama's native API: its OpenAI route silently ignores context size, samplers and thinking
 * (docs/protocols/ollama.md 4).
 */
import { isRecord } from '../../values/records';
import type { SamplingSettings } from '../settings';
import { OLLAMA_OPTIONS, NATIVE_ONLY_OPTIONS, OUTER_FIELDS } from './ollama-options';

/** Whether the OpenAI route would ignore a part of the request. */
export function needsNativeApi(sampling: SamplingSettings): boolean {
	const { thinking, extraBody = {}, keepAlive } = sampling;
	return (
		thinking?.mode === 'on' ||
		thinking?.mode === 'effort' ||
		keepAlive !== undefined ||
		isRecord(extraBody.options) ||
		getOptionsIgnoredByOpenAi(sampling).length > 0 ||
		Object.keys(extraBody).some((name) => OUTER_FIELDS.has(name) || NATIVE_ONLY_OPTIONS.has(name))
	);
}

/** Labels of set options that the OpenAI route ignores. */
export function getOptionsIgnoredByOpenAi(sampling: SamplingSettings): string[] {
	const ignored = OLLAMA_OPTIONS.filter(
		({ name, isNativeOnly }) => isNativeOnly && sampling[name] !== undefined,
	);
	return ignored.map(({ label }) => label);
}
