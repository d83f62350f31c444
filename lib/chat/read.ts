import { kindOf } from '../servers/kinds';
import { Assembly } from './answer/assembly';
import { withPartialAnswer } from './answer/failure';
import { LoadingMessages } from './answer/loading-messages';
import { readBatch, type Unreadable } from './answer/read-batch';
import { familyOf } from './text-formats/families';
import { thinkingHabits } from './answer/thinking-habits';
import { ThinkingPresenter } from './answer/thinking-presenter';
import { modelKey, type OpenedAnswer } from './open';
import type { PreparedCall } from './prepare';
import { textOf } from './request/content';
import { wantsJson } from './request/parameters';
import { callableTools, type ChatSettings } from './request/request';
import { ThinkingLimit } from './thinking-limit';
import type { ChatMessage } from './types';

/** An answer that was read to the end of its stream. */
export interface ReadAnswer {
	assembly: Assembly;
	/** All text that was yielded. */
	shown: string;
	/** Lines of the body that were no events. */
	strayLines: string[];
	/** Milliseconds from sending to the first token; 0 without one. */
	firstTokenMs: number;
	/** Load time of the model in milliseconds, as reported by the server. */
	loadMs: number | undefined;
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
	{ settings, call, messages, pace, startedAt }: PreparedCall,
): AsyncGenerator<string, ReadAnswer> {
	const { reader } = opened;
	const chatter = new LoadingMessages();
	const reading = { ...opened, chatter, onChunk: call.onChunk };
	const assembly = assemblyFor(opened, settings, call.whole === true, messages);
	const presenter = new ThinkingPresenter(showsThinking(settings));
	const limit = new ThinkingLimit(opened);
	const notes: string[] = [];
	let firstTokenMs = 0;
	/** An event that is not JSON: an error if anything follows; otherwise the stream was cut there. */
	let unreadable: Unreadable | undefined;
	try {
		for await (const batch of reader.batches) {
			if (unreadable !== undefined) throw unreadable.error;
			const { step, ...rest } = readBatch(batch, assembly, reading);
			limit.seen(batch, assembly.thinks, step.reasoning);
			if (firstTokenMs === 0 && assembly.started) firstTokenMs = performance.now() - startedAt;
			const shown = presenter.show(step);
			pace.progress = {
				started: assembly.speaks,
				shown: presenter.shown !== '',
				finished: assembly.finished,
			};
			if (shown !== '') yield shown;
			unreadable = rest.unreadable;
			if (unreadable?.mayBeCut === false) throw unreadable.error;
			if (assembly.complete) break;
			if (assembly.finished || unreadable !== undefined) reader.finishing();
		}
	} catch (error) {
		const isAborted = call.signal?.aborted === true;
		// All announced content has arrived, so a missing end marker or an open socket does not matter.
		if (!assembly.finished || isAborted)
			throw withPartialAnswer(isAborted ? error : (unreadable?.error ?? error), assembly);
		if (!assembly.countsCameLast) notes.push(ENDED_WITHOUT_MARKER);
	} finally {
		reader.close();
		notes.push(...limit.close());
		opened.release();
	}
	const resumed = reader.resumed();
	if (resumed > 0)
		notes.push(
			`The connection broke ${resumed === 1 ? 'once' : `${resumed} times`} in the middle of the answer. The server had kept it, so it was read on.`,
		);
	const rest = presenter.show(assembly.flush());
	if (rest !== '') yield rest;
	const closing = presenter.end();
	if (closing !== '') yield closing;
	const strayLines = [
		...(unreadable === undefined ? [] : [unreadable.line]),
		...reader.strayLines(),
	];
	return {
		assembly,
		shown: presenter.shown,
		strayLines,
		firstTokenMs,
		loadMs: chatter.loadMs,
		notes,
	};
}

/** Whether thinking is shown: not in front of JSON, which chains could not parse then. */
export function showsThinking({ showThinking, parameters }: ChatSettings): boolean {
	return showThinking && !wantsJson(parameters);
}

function assemblyFor(
	opened: OpenedAnswer,
	{ parameters, toolCallsInText, textFormat }: ChatSettings,
	whole: boolean,
	messages: readonly ChatMessage[],
): Assembly {
	const { request, model, template, serverKind } = opened;
	const mayBeMissing = thinkingHabits.mayLeaveOpeningTagOut(modelKey(opened), {
		model,
		isSplitByServer: kindOf(serverKind).chat.thinking.isSplitFromText === true,
		whole,
	});
	return new Assembly({
		openingThinkTagMayBeMissing:
			whole || thinkingHabits.leavesOpeningTagOut(modelKey(opened))
				? mayBeMissing && 'always'
				: mayBeMissing,
		thinkingIsOff: parameters.thinking?.mode === 'off',
		prefill: prefillOf(messages),
		tools: request.tools ?? [],
		toolsInText: toolCallsInText === 'leave' ? [] : callableTools(request),
		family: familyOf({
			setting: textFormat,
			template,
			model,
			fallback: kindOf(serverKind).chat.callFormat,
		}),
		input: messages
			.filter(({ role }) => role === 'user' || role === 'tool')
			.map(({ content }) => textOf(content)),
	});
}

/** The text of a trailing assistant message: the server continues it, and repeats it at the beginning of the answer. */
function prefillOf(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	return last?.role === 'assistant' && last.toolCalls === undefined && last.content !== ''
		? last.content
		: undefined;
}
