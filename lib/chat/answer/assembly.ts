import type { KindName } from '../../servers/kinds';
import { isFilled } from '../../values';
import type { Family } from '../text-formats/families';
import type { UnrunCall } from '../text-formats/text-calls';
import { ownToolCallIds } from '../tool-call-ids';
import type { SplitText, Usage, WireChunk } from '../types';
import { Chain, CHAIN, type ChainOptions } from './chain';
import type { Chunk } from './chunk';
import { type JudgedAnswer, type CallIds, Collector } from './collector';
import { NO_FINISH_REASON } from './finish-reason';

export interface AssemblyOptions extends ChainOptions {
	/** Makes our own ids for the calls. Replaced in tests. */
	callIds?: CallIds;
}

/**
 * An answer as it arrives: the chain and the collector at its end. Independent of how the answer was split. Pure: no
 * clock, socket or LangChain.
 */
export class Assembly {
	private readonly chain: Chain;
	private readonly collected = new Collector();
	/** How many pieces of a stream held text or thinking. Most servers send each token on its own. */
	pieces = 0;

	constructor(private readonly options: AssemblyOptions = {}) {
		this.chain = new Chain(CHAIN, options);
	}

	/** Yields what can be shown now; a long text slice by slice. @throws {UnreadableEvent} */
	*push(chunk: WireChunk): Generator<SplitText> {
		if (this.hasEnded) return;
		const hasWords = isFilled(chunk.text) || isFilled(chunk.reasoning);
		if (hasWords && chunk.isMessage !== true) this.pieces += 1;
		yield* this.take(this.chain.push(chunk));
	}

	/** Yields the text that was held back. To be called once, at the end of the stream and before `finish`. */
	flush(): Generator<SplitText> {
		return this.take(this.chain.end(this.collected.end));
	}

	/** The checked answer, or the failure. `strayLines`: lines of the body that were no events. */
	finish(strayLines: readonly string[] = []): JudgedAnswer {
		const { tools = [], callIds = ownToolCallIds } = this.options;
		return this.collected.result(tools, strayLines, callIds);
	}

	/** Whether anything generated has arrived: from then on the idle limit applies, not the first-token limit. */
	get started(): boolean {
		return this.collected.arrived !== 'nothing' || this.hasCallsOrReason;
	}

	/** Whether more than white space has arrived, with which many answers begin. */
	get speaks(): boolean {
		return this.collected.arrived === 'words' || this.hasCallsOrReason;
	}

	/** Whether the latest content is thinking. */
	get thinks(): boolean {
		return this.collected.thinks && !this.hasCallsOrReason;
	}

	/**
	 * Whether there is a finish reason, and all announced content: then only token counts and the end marker may follow.
	 */
	get hasAllContent(): boolean {
		return this.collected.isFinished;
	}

	/** Whether token counts came with or after the finish reason, where servers send them: then nothing is missing. */
	get countsCameLast(): boolean {
		return this.hasAllContent && this.collected.ending.hasCounts;
	}

	/** Whether the answer is over; further chunks are ignored. */
	get hasEnded(): boolean {
		return this.collected.end !== 'closed';
	}

	/**
	 * Whether the end marker, or of a minimal server the body, ended without a finish reason. For other servers that
	 * proves nothing: vLLM sends the marker after an error, and gateways after a lost backend.
	 */
	get endedWithoutReason(): 'marked' | 'bare' | undefined {
		if (this.hasCallsOrReason || this.collected.end === 'failed') return undefined;
		if (this.collected.end === 'done') return 'marked';
		return this.collected.ending.isMinimal ? 'bare' : undefined;
	}

	/** Accepts such an end as a complete answer. To be called before `finish`. */
	acceptEndWithoutReason(): void {
		const { content, ending } = this.collected;
		if (this.endedWithoutReason !== undefined && content.text.trim() !== '')
			ending.finishReason = NO_FINISH_REASON;
	}

	/** The counted tokens. */
	get usage(): Usage | undefined {
		return this.collected.usage;
	}

	/** The format of the calls that were read from the text; undefined without any. */
	get formatInText(): Family | undefined {
		return this.collected.calls.format;
	}

	/** A possible call in the text or in the thinking that was not run. */
	get unrunCall(): UnrunCall | undefined {
		return this.collected.calls.unrun;
	}

	/** What has arrived so far, for errors from elsewhere. */
	get partial(): SplitText {
		return { ...this.collected.content };
	}

	/** The kind of server that made this answer, if the answer tells. */
	get madeBy(): KindName | undefined {
		return this.collected.counts.madeBy;
	}

	private get hasCallsOrReason(): boolean {
		return this.collected.hasCalls || this.collected.ending.finishReason !== undefined;
	}

	private *take(chunks: Iterable<Chunk>): Generator<SplitText> {
		for (const chunk of chunks) {
			yield this.collected.take(chunk);
			if (chunk.error !== undefined) break;
		}
	}
}
