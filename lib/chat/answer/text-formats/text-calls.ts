import type { UnrunReason, ToolDefinition } from '../../types';
import { offeredName } from '../offered-tools';
import { fittingArguments } from './arguments';
import { openingMarkers, CallDetector } from './call-detector';
import type { Family } from './families';
import type { Form } from './forms';
import type { QuotedInput } from './quoted-input';
import { type CallsReading, readBlock, type WrittenCall } from './shapes';
import { attempt, type Place, Pump, type Reading, type Source, type Stop, Stopped } from './source';
import { MarkupTracker } from './markup-tracker';

/** A possible call that was left in the text. */
export interface UnrunCall {
	name: string;
	family: Family;
	because: UnrunReason;
}

export interface ReadCall {
	name: string;
	/** JSON text of an object. */
	arguments: string;
}

export interface AnswerEnd {
	/** The model ended its answer itself, and was not cut off. */
	isNatural: boolean;
	/** The answer broke off: no call is run. */
	isBroken?: boolean;
	/** The server itself returned calls. */
	hasOthers: boolean;
	/** Messages of users and tools. */
	input: QuotedInput;
}

/** After so many openings that were only text, no further calls are expected. */
const MAX_TRIES = 50;
const MAX_BLOCK = 1024 * 1024;

/**
 * Extracts calls from the text of an answer, for servers that pass them on unparsed. Text is not a command: only a
 * complete call of an offered tool, in this model's format, at the end of the answer and not quoted, counts. Everything
 * else stays text, unchanged.
 *
 * Text that may be a call is held back until that is decided. The result does not depend on how the text was split.
 */
export class TextCalls {
	private readonly tools: ReadonlyMap<string, ToolDefinition>;
	private readonly names: readonly string[];
	private readonly sightings: CallDetector;
	private readonly surroundings = new MarkupTracker();
	private readonly pump = new Pump((source) => this.read(source));
	private readonly starts: ReadonlySet<string>;
	private out: string[] = [];
	/** Held-back white space, after which a call may come. */
	private blank = '';
	private gaveText = false;
	private tries = 0;
	/** The possible calls that are being read. */
	private block = { name: undefined as string | undefined, calls: [] as WrittenCall[], begin: 0 };
	private found: { start: Place; isMarked: boolean } | undefined;
	private failed: { why: Stop; name: string; begin: number; end: number } | undefined;

	/** @param tools the tools that the model may call */
	constructor(
		tools: readonly ToolDefinition[],
		private readonly family: Family | undefined,
	) {
		this.tools = new Map(tools.map((tool) => [tool.name, tool]));
		this.names = [...this.tools.keys()];
		this.sightings = new CallDetector(this.tools, family);
		const forms = family?.forms.filter(({ bare, told }) => !bare && !told) ?? [];
		this.starts = new Set(forms.flatMap(openingMarkers).map((text) => text[0]!));
	}

	/** @returns the text that can be shown now */
	push(piece: string): string {
		if (this.tools.size === 0 || this.pump.source.isOver) return piece;
		this.sightings.push(piece);
		if (this.family === undefined) return piece;
		this.pump.push(piece);
		return this.out.splice(0).join('');
	}

	/** At the end of the answer: returns the remaining text, and the calls or a possible call that is not run. */
	end(end: AnswerEnd): { text: string; calls: ReadCall[]; seen?: UnrunCall } {
		if (this.tools.size === 0) return { text: '', calls: [] };
		this.sightings.end();
		this.pump.end();
		const { found } = this;
		const because = found === undefined ? undefined : this.reasonAgainst(found, end);
		if (found !== undefined && because === undefined)
			return { text: this.taken(), calls: this.readCalls()! };
		if (found !== undefined) this.release(found.start);
		const seen = this.seen(because);
		return { text: this.taken(), calls: [], ...(seen === undefined ? {} : { seen }) };
	}

	private taken(): string {
		return this.out.splice(0).join('');
	}

	private *read(source: Source): Reading<void> {
		while ((yield* source.peek()) !== '') {
			source.forget();
			this.readPlain(source);
			if (source.at === source.text.length) continue;
			const start = source.place;
			if (yield* this.readBlocks(source, start)) return;
			source.back(start);
			this.give(source.text[source.at]!);
			source.at += 1;
		}
		this.out.push(this.blank);
		this.blank = '';
	}

	/** Passes on text that cannot begin a call. At the start of the answer, any character may begin one. */
	private readPlain(source: Source): void {
		const { text } = source;
		let end = source.at;
		const isStart = (unit: string) => (this.gaveText ? this.starts.has(unit) : !/\s/.test(unit));
		while (end < text.length && !isStart(text[end]!)) end += 1;
		this.give(text.slice(source.at, end));
		source.at = end;
	}

	private give(text: string): void {
		this.surroundings.push(text);
		const visible = text.trimEnd();
		if (visible === '') this.blank += text;
		else {
			this.out.push(this.blank, visible);
			this.blank = text.slice(visible.length);
			this.gaveText = true;
		}
	}

	/** @returns whether there were calls, and nothing after them */
	private *readBlocks(source: Source, start: Place): Reading<boolean> {
		const isOff =
			this.tries >= MAX_TRIES || this.failed !== undefined || this.surroundings.isQuotation;
		for (const form of isOff ? [] : this.family!.forms) {
			const isInPlace = form.bare
				? !this.gaveText
				: form.special === true || this.surroundings.isAtLineStart;
			if (!isInPlace || form.told) continue;
			source.back(start);
			this.block = { name: undefined, calls: [], begin: source.position };
			const opening =
				openingMarkers(form).length === 0 ? '' : yield* source.oneOf(openingMarkers(form));
			if (opening === undefined) continue;
			this.tries += 1;
			const end = yield* attempt(readBlock(this.callsReading(source), form, opening));
			if (end instanceof Stopped) this.fail(end.why, form, source.position);
			else {
				this.found = { start, isMarked: end };
				return true;
			}
		}
		return false;
	}

	private callsReading(source: Source): CallsReading {
		const { block } = this;
		return {
			source,
			calls: block.calls,
			names: this.names,
			named: (written) => {
				const name = offeredName(written, this.names);
				block.name ??= name ?? written;
				if (name === undefined) throw new Stopped('unknownTool');
				if (source.position - block.begin > MAX_BLOCK) throw new Stopped('incomplete');
			},
		};
	}

	private fail(why: Stop, { bare }: Form, end: number): void {
		const { name, calls, begin } = this.block;
		if (name === undefined || (bare && !this.tools.has(name))) return;
		this.failed ??= {
			why: why === 'broken' && calls.length > 0 ? 'followed' : why,
			name,
			begin,
			end,
		};
	}

	/** Why the found calls must not be run; undefined if they may. */
	private reasonAgainst(
		{ isMarked }: { isMarked: boolean },
		end: AnswerEnd,
	): UnrunReason | undefined {
		const { foreign, own } = this.sightings;
		const { calls, begin } = this.block;
		if (end.hasOthers) return 'hasOthers';
		if (foreign !== undefined && foreign.at < begin) return 'foreign';
		// An answer that already showed a call is only showing this one, too.
		if (own !== undefined && own.at < begin) return 'quoted';
		if (end.isBroken || (!isMarked && !end.isNatural)) return 'incomplete';
		if (this.readCalls() === undefined) return 'unfit';
		const { source } = this.pump;
		const written = (call: WrittenCall) =>
			// A call without arguments is only a name, so its markers are included in the comparison.
			Object.keys(call.arguments ?? {}).length === 0
				? source.between(this.found!.start, source.place)
				: source.between(call.from, call.to);
		return calls.some((call) => end.input.holds(written(call))) ? 'inInput' : undefined;
	}

	private readCalls(): ReadCall[] | undefined {
		const calls = this.block.calls.map((call) => {
			const tool = this.tools.get(offeredName(call.name, this.names) ?? '');
			const args = tool === undefined ? undefined : fittingArguments(tool, call.arguments);
			return args === undefined ? undefined : { name: tool!.name, arguments: JSON.stringify(args) };
		});
		return calls.every((call) => call !== undefined) ? calls : undefined;
	}

	/** Turns a held-back call into text. */
	private release(start: Place): void {
		const { source } = this.pump;
		const end = source.place;
		this.out.push(this.blank, source.between(start, end));
		this.blank = '';
	}

	private seen(because: UnrunReason | undefined): UnrunCall | undefined {
		const { own, foreign } = this.sightings;
		const { failed, block, family } = this;
		const isForeign =
			foreign !== undefined &&
			(failed === undefined || foreign.at <= failed.begin || foreign.at >= failed.end);
		if (because !== undefined && because !== 'foreign')
			return { name: block.name!, family: family!, because };
		if (
			foreign !== undefined &&
			(because === 'foreign' || (isForeign && failed?.why !== 'unknownTool'))
		)
			return { name: foreign.name, family: foreign.family, because: 'foreign' };
		if (failed !== undefined)
			return {
				name: failed.name,
				family: family!,
				because: failed.why === 'broken' ? 'incomplete' : failed.why,
			};
		if (own === undefined) return undefined;
		return { name: own.name, family: own.family, because: own.form.told ?? 'quoted' };
	}
}
