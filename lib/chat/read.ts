import type { ServerSentEvent } from '../http/sse';
import { inTimeSlices } from '../http/time-slices';
import { kindOf } from '../servers/kinds';
import { Assembly } from './answer/assembly';
import { withPartialAnswer } from './answer/failure';
import { bringsContent, collect, readBatch, type Unreadable } from './answer/read-batch';
import { familyOf } from './text-formats/family-of';
import { ThinkingPresenter } from './answer/thinking-presenter';
import type { OpenedAnswer } from './open';
import type { PreparedCall } from './prepare';
import { textOf } from './request/content';
import { wantsJson } from './request/parameters';
import { callableTools, type ChatSettings } from './request/request';
import type { ChatMessage, WireChunk } from './types';

/** An answer that was read to the end of its stream. */
export interface ReadAnswer {
	assembly: Assembly;
	/** All text that was yielded. */
	shown: string;
	/** Lines of the body that were no events. */
	strayLines: string[];
	/** Milliseconds from the call to the first token; 0 without one, or where the answer came as one JSON object. */
	firstTokenMs: number;
	notes: string[];
}

const ENDED_WITHOUT_MARKER =
	'The server said that the answer was finished, but did not end the stream. If something is missing at the end of the answer, this is why.';

/**
 * Yields pieces of text as they arrive, and always closes the stream.
 *
 * @throws {ServerError} with the text that had arrived in `partialText` and `partialReasoning`
 */
export async function* readAnswer(
	opened: OpenedAnswer,
	prepared: PreparedCall,
): AsyncGenerator<string, ReadAnswer> {
	const reading = new AnswerReading(opened, prepared);
	try {
		for await (const batch of opened.reader.batches) {
			const shown = await reading.take(batch);
			if (shown !== '') yield shown;
			reading.rejectBrokenEvent();
			if (reading.hasEnded) break;
			reading.expectEnd();
		}
	} catch (error) {
		// Also after an event that cannot be read: all content may have come before it.
		reading.acceptBreak(error);
	} finally {
		reading.close();
	}
	const rest = await reading.rest();
	if (rest !== '') yield rest;
	return reading.result();
}

class AnswerReading {
	private readonly assembly: Assembly;
	private readonly presenter: ThinkingPresenter;
	private readonly notes: string[] = [];
	private firstTokenMs = 0;
	/** An event that is not JSON: an error if anything follows; otherwise the stream was cut there. */
	private unreadable: Unreadable | undefined;
	private batchHasContent = false;

	constructor(
		private readonly opened: OpenedAnswer,
		private readonly prepared: PreparedCall,
	) {
		const { settings, call } = prepared;
		this.presenter = new ThinkingPresenter(showsThinking(settings));
		this.assembly = assemblyFor(opened, prepared, (chunk) => {
			call.onChunk?.(chunk);
			this.batchHasContent ||= bringsContent(chunk);
		});
	}

	/** @returns what is shown of these events */
	async take(batch: ServerSentEvent[]): Promise<string> {
		if (this.unreadable !== undefined) throw this.unreadable.error;
		const { assembly, presenter, opened, prepared } = this;
		const { step, unreadable } = await readBatch(batch, assembly, opened);
		this.unreadable = unreadable;
		if (this.batchHasContent) opened.reader.content();
		this.batchHasContent = false;
		const isWhole = batch[0]?.event === 'whole-answer';
		if (this.firstTokenMs === 0 && assembly.started && !isWhole)
			this.firstTokenMs = performance.now() - prepared.startedAt;
		const shown = presenter.show(step);
		prepared.pace.progress = {
			started: assembly.speaks,
			shown: presenter.shown !== '',
			finished: assembly.hasAllContent,
		};
		return shown;
	}

	/** An event that cannot be read is the end, unless it may be the last one, which was cut. */
	rejectBrokenEvent(): void {
		if (this.unreadable?.mayBeCut === false) throw this.unreadable.error;
	}

	get hasEnded(): boolean {
		return this.assembly.hasEnded;
	}

	/** The end of the stream is waited for only briefly once all content has arrived. */
	expectEnd(): void {
		const mayEnd = this.assembly.hasAllContent || this.unreadable !== undefined;
		if (mayEnd) this.opened.reader.expectEnd();
	}

	/** Throws the error with which the stream broke, unless all announced content has arrived. */
	acceptBreak(error: unknown): void {
		const { assembly, unreadable } = this;
		const isAborted = this.prepared.call.signal?.aborted === true;
		const cause = isAborted ? error : (unreadable?.error ?? error);
		if (!assembly.hasAllContent || isAborted) throw withPartialAnswer(cause, assembly);
		if (!assembly.countsCameLast) this.notes.push(ENDED_WITHOUT_MARKER);
	}

	close(): void {
		this.opened.reader.close();
	}

	/** What was held back until the end. */
	async rest(): Promise<string> {
		const step = await inTimeSlices(collect({ text: '', reasoning: '' }, this.assembly.flush()));
		return this.presenter.show(step) + this.presenter.end();
	}

	result(): ReadAnswer {
		const { assembly, presenter, firstTokenMs, notes, unreadable } = this;
		const { reader } = this.opened;
		const strayLines = [
			...(unreadable === undefined ? [] : [unreadable.line]),
			...reader.strayLines(),
		];
		return { assembly, shown: presenter.shown, strayLines, firstTokenMs, notes };
	}
}

/** Whether thinking is shown: not in front of JSON, which chains could not parse then. */
export function showsThinking({ showThinking, parameters }: ChatSettings): boolean {
	return showThinking && !wantsJson(parameters);
}

function assemblyFor(
	opened: OpenedAnswer,
	{ settings, call, messages }: PreparedCall,
	onChunk: (chunk: WireChunk) => void,
): Assembly {
	const { request, model, template, serverKind } = opened;
	const { toolCallsInText } = settings;
	const { callFormat: fallback } = kindOf(serverKind).chat;
	const tools = [...(request.tools ?? []), ...(call.furtherTools ?? [])];
	return new Assembly({
		openingThinkTagMayBeMissing: openingTagMayBeMissing(opened, call.whole === true),
		prefill: prefillOf(messages),
		tools,
		toolsInText: toolCallsInText === 'leave' ? [] : callableTools({ ...request, tools }),
		family: familyOf({ template, model, fallback }),
		// Documents stand in system messages, too, and are repeated in earlier answers. Earlier calls are no texts.
		input: messages.map(({ content }) => textOf(content)),
		wantsJson: wantsJson(settings.parameters),
		onChunk,
	});
}

/** Names of models whose templates usually put the opening thinking tag into the prompt. */
const THINKING_MODELS = /(?:^|[^a-z])(?:r1|qwq|thinking|reasoner|reasoning|magistral)(?:[^a-z]|$)/i;

/**
 * Whether to hold text back until a closing thinking tag may come. `always`: the answer is needed only as a whole, so
 * waiting costs nothing. Not where the server separates thinking itself, since it includes the opening tag.
 */
function openingTagMayBeMissing(
	{ model, serverKind }: OpenedAnswer,
	whole: boolean,
): boolean | 'always' {
	if (whole) return 'always';
	const isSplitByServer = kindOf(serverKind).chat.thinking.isSplitFromText === true;
	return !isSplitByServer && THINKING_MODELS.test(model);
}

/** The text of a trailing assistant message: the server continues it, and repeats it at the beginning of the answer. */
function prefillOf(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	return last?.role === 'assistant' && last.toolCalls === undefined && last.content !== ''
		? last.content
		: undefined;
}
