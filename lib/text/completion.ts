import { failedBy } from '../chat/answer/finish-reason';
import { reasonIn } from '../chat/wire/finish-reason';
import type { AnswerContent } from '../chat/types';
import { ollamaTimings, ollamaUsage, openAiUsage, timingsOf, usageFrom } from '../chat/wire/counts';
import { errorIn } from '../errors/error-body';
import {
	isRecord,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordOf,
	recordsIn,
	text as textOf,
} from '../values';

/** A completion, or the part of it that has arrived. */
export interface Completion extends Pick<AnswerContent, 'text' | 'usage' | 'timings' | 'model'> {
	/** Why it ended: `eos` or `stop` (the model had finished), `limit`, `word`, or the server's own reason. */
	stopType?: string;
	/** The stop sequence that ended it. */
	stoppingWord?: string;
	/** The server had to leave out the beginning of the prompt. */
	truncated?: boolean;
}

/** Finish reasons of other servers that llama-server has another name for. */
const STOP_TYPES: Readonly<Record<string, string>> = { length: 'limit' };

/** What llama-server sent before `stop_type`; ik_llama.cpp still does. */
const OLDER_FLAGS = { stopped_word: 'word', stopped_limit: 'limit', stopped_eos: 'eos' };

function olderStopType(data: JsonRecord): string | undefined {
	return Object.entries(OLDER_FLAGS).find(([flag]) => data[flag] === true)?.[1];
}

/**
 * Assembles a completion from the events of llama-server's own API, OpenAI's, or Ollama's, or from an answer in one
 * piece. The fields of each event tell which API it is.
 */
export class CompletionAssembly {
	private readonly completion: Completion = { text: '' };
	/** Whether the server announced the end. */
	ended = false;
	/** The server's error message. */
	error: string | undefined;

	/** What arrived so far. */
	get result(): Completion {
		return { ...this.completion };
	}

	/** @returns the text that an event adds; undefined for data that is no event of a completion */
	push(data: unknown): string | undefined {
		if (data === '[DONE]') {
			this.ended = true;
			return '';
		}
		if (!isRecord(data)) return undefined;
		const error = errorIn(data, undefined, JSON.stringify(data));
		if (error !== undefined) {
			this.error ??= error.message;
			return '';
		}
		this.note({
			model: nonEmptyText(data.model),
			timings: isRecord(data.timings) ? timingsOf(data.timings) : undefined,
		});
		const added = this.textOfEvent(data);
		this.completion.text += added ?? '';
		return added;
	}

	private textOfEvent(data: JsonRecord): string | undefined {
		if (Array.isArray(data.choices)) return this.openAi(data, recordsIn(data.choices)[0]);
		return 'response' in data ? this.ollama(data) : this.native(data);
	}

	/** docs/protocols/llama-server.md 3.7 */
	private native(data: JsonRecord): string | undefined {
		const content = textOf(data.content);
		if (content === undefined) return undefined;
		if (data.stop === true) {
			const { tokens_evaluated: prompt, tokens_predicted: completion, timings } = data;
			this.end(data.stop_type ?? olderStopType(data));
			this.note({
				stoppingWord: nonEmptyText(data.stopping_word),
				truncated: typeof data.truncated === 'boolean' ? data.truncated : undefined,
				usage: usageFrom(prompt, completion, { cached: recordOf(timings).cache_n }),
			});
		}
		return content;
	}

	private openAi(data: JsonRecord, choice: JsonRecord = {}): string {
		this.note({ usage: openAiUsage(data.usage) });
		if (reasonIn(choice.finish_reason) !== undefined) this.end(choice.finish_reason);
		return textOf(choice.text) ?? textOf(recordOf(choice.message ?? choice.delta).content) ?? '';
	}

	/** docs/protocols/ollama.md 4.5 */
	private ollama(data: JsonRecord): string {
		if (data.done === true) {
			this.end(data.done_reason);
			this.note({ usage: ollamaUsage(data), timings: ollamaTimings(data) });
		}
		return textOf(data.response) ?? '';
	}

	private end(reason: unknown): void {
		this.ended = true;
		const finishReason = reasonIn(reason);
		if (finishReason === undefined) return;
		if (failedBy(finishReason) !== undefined) this.error ??= `finish_reason: ${finishReason}`;
		this.note({ stopType: STOP_TYPES[finishReason] ?? finishReason });
	}

	private note(fields: Partial<Completion>): void {
		Object.assign(this.completion, optional(fields));
	}
}
