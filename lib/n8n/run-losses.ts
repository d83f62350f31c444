/**
 * What a person put in and did not come out: the one edge at which an operation and a sub-node tell it, once a run. In between,
 * a loss is data.
 */
import type { UnsentFile } from '../unsent-files';
import { describeUnsentFiles } from '../unsent-files';
import type { SilentRecording } from '../silent-recordings';
import { describeSilentRecordings } from '../silent-recordings';
import { pushAll } from '../values/lists';

/** Facts of each kind of loss. */
export interface Losses {
	/** Files that no field names, or that the server or app does not accept. */
	unsentFile: UnsentFile;
	/** Recordings in which the server heard nothing. */
	silentRecording: SilentRecording;
}

/** The words of each kind: one hint for all of a run. */
const WORDS: { readonly [Kind in keyof Losses]: (facts: ReadonlyArray<Losses[Kind]>) => string } = {
	unsentFile: describeUnsentFiles,
	silentRecording: describeSilentRecordings,
};

/** The losses of a run. */
export class RunLosses {
	private readonly facts: { readonly [Kind in keyof Losses]: Array<Losses[Kind]> } = {
		unsentFile: [],
		silentRecording: [],
	};

	add<Kind extends keyof Losses>(kind: Kind, ...facts: ReadonlyArray<Losses[Kind]>): void {
		pushAll(this.facts[kind], facts);
	}

	/** The hints of the run. */
	describe(): string[] {
		return (Object.keys(WORDS) as Array<keyof Losses>).flatMap((kind) => this.describeKind(kind));
	}

	private describeKind<Kind extends keyof Losses>(kind: Kind): string[] {
		const facts: ReadonlyArray<Losses[Kind]> = this.facts[kind];
		return facts.length === 0 ? [] : [WORDS[kind](facts)];
	}
}
