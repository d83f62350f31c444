/** Chunks of Ollama's own API as OpenAI's. */
import type { JsonRecord } from '../../values/records';
import { omitUndefined, asRecord, asRecords } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { toText } from '../../values/text';

const NANOSECONDS_PER_MS = 1e6;

/** The fields in which an event of any other API has its text. */
const OTHER_FIELDS = ['choices', 'content', 'text', 'delta'];

/** An event as a chunk in OpenAI's format: a line of Ollama's own API says with each part whether it is done. */
export function toChunk(event: JsonRecord): JsonRecord {
	const isOllama =
		typeof event.done === 'boolean' && !OTHER_FIELDS.some((name) => Object.hasOwn(event, name));
	return isOllama ? toOpenAiChunk(event) : event;
}

/** Converts a line of a response to a chunk in OpenAI's format, with llama-server's timings. */
function toOpenAiChunk(line: JsonRecord): JsonRecord {
	const isDone = line.done === true;
	const message = asRecord(line.message);
	const delta = {
		// `response`: of `/api/generate`
		content: message.content ?? line.response,
		reasoning_content: message.thinking,
		// Every call is complete; in some releases, all have the index 0.
		tool_calls: asRecords(message.tool_calls).map(({ function: toolFunction, id }, index) => ({
			index: `${line.created_at} ${index}`,
			...omitUndefined({ id }),
			function: toolFunction,
		})),
	};
	const finish_reason = isDone ? toText(line.done_reason) || 'stop' : null;
	const logprobs = { content: line.logprobs };
	const choices = [{ index: 0, delta, finish_reason, logprobs }];
	return { model: line.model, choices, ...(isDone ? toUsageFields(line) : {}) };
}

/** Token counts and durations of the last line, with the field names of OpenAI and llama-server. */
function toUsageFields(line: JsonRecord): JsonRecord {
	const { prompt_eval_count: promptTokens, eval_count: completionTokens } = line;
	const promptMs = toMs(line.prompt_eval_duration);
	const completionMs = toMs(line.eval_duration);
	return {
		usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens },
		timings: omitUndefined({
			load_ms: toMs(line.load_duration),
			prompt_n: promptTokens,
			prompt_ms: promptMs,
			prompt_per_second: perSecond(promptTokens, promptMs),
			predicted_n: completionTokens,
			predicted_ms: completionMs,
			predicted_per_second: perSecond(completionTokens, completionMs),
		}),
	};
}

function toMs(nanoseconds: unknown) {
	const count = asFiniteNumber(nanoseconds);
	return count && count / NANOSECONDS_PER_MS;
}

function perSecond(tokens: unknown, ms = 0) {
	return ms > 0 && typeof tokens === 'number' ? (tokens / ms) * 1000 : undefined;
}
