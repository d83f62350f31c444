import { parseJson } from '../json';
import { asList, isRecord, type JsonRecord, nonEmptyText, text } from '../values';
import { errorOf } from './speech-answer';

/** A streamed transcript (docs/protocols/other-servers.md 3.5), event by event. */
export class TranscriptStream {
	private streamed = '';
	private whole: string | undefined;
	private ended = false;
	/** The server's own words, where it reported an error mid-stream. */
	error: string | undefined;
	/** Other fields of the last event, for example the usage. */
	more: JsonRecord = {};

	/** The text so far, or the final one. */
	get text(): string {
		return (this.whole ?? this.streamed).trim();
	}

	/** Whether the server marked the end. */
	get isComplete(): boolean {
		return this.ended;
	}

	/** @returns the text that is new, to be shown at once */
	push(data: string): string {
		if (data.trim() === '[DONE]') {
			this.ended = true;
			return '';
		}
		const event = parseJson(data);
		// Custom servers stream bare text.
		if (event === undefined) return this.take(data);
		if (typeof event === 'string') return this.take(event);
		return isRecord(event) ? this.readEvent(event) : '';
	}

	private readEvent(event: JsonRecord): string {
		const { type } = event;
		this.error = errorOf(event);
		if (this.error !== undefined) return '';
		if (type === 'transcript.text.delta') return this.take(text(event.delta) ?? '');
		if (type === 'transcript.text.done') return this.finish(event);
		if (Array.isArray(event.choices)) return this.readChoice(event);
		// One segment after the other, as servers did before OpenAI had events for it.
		const segment = nonEmptyText(event.text);
		if (segment === undefined) return '';
		this.ended = true;
		return this.take(segment);
	}

	/** The rest of the final text that was not shown yet. */
	private finish({ text: whole, ...more }: JsonRecord): string {
		this.ended = true;
		this.more = Object.fromEntries(
			Object.entries(more).filter(([name, value]) => name !== 'type' && value !== null),
		);
		// speaches ends with an empty text, whatever it has sent before.
		if (typeof whole !== 'string' || whole === '') return '';
		this.whole = whole;
		return whole.startsWith(this.streamed) ? whole.slice(this.streamed.length) : '';
	}

	/** vLLM streams transcripts as it streams chats. */
	private readChoice({ choices, usage }: JsonRecord): string {
		const [choice] = asList(choices);
		if (isRecord(usage)) this.more = { usage };
		if (!isRecord(choice)) return '';
		if (nonEmptyText(choice.finish_reason) !== undefined) this.ended = true;
		return this.take(
			(isRecord(choice.delta) ? text(choice.delta.content) : text(choice.text)) ?? '',
		);
	}

	private take(piece: string): string {
		this.streamed += piece;
		return piece;
	}
}
