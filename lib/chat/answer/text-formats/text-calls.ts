import type { UnrunReason, ToolDefinition } from '../../types';
import { offeredName } from '../offered-tools';
import { fittingArguments } from './arguments';
import { beginsOf, CallDetector } from './call-detector';
import type { Family } from './families';
import type { Form } from './forms';
import type { QuotedInput } from './quoted-input';
import { type CallsReading, readBlock, type WrittenCall } from './shapes';
import { attempt, type Place, Pump, type Reading, type Source, type Stop, Stopped } from './source';
import { MarkupTracker } from './markup-tracker';

/** What looks like a call, and was left where it stands. */
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
	/** The model ended its answer by itself, and was not cut. */
	isNatural: boolean;
	/** The answer broke off: nothing of it is run. */
	isBroken?: boolean;
	/** The server returned calls of its own. */
	hasOthers: boolean;
	/** What users and tools wrote. */
	input: QuotedInput;
}

/** An answer with more openings that turned out to be text only talks about them. */
const MAX_TRIES = 50;
const MAX_BLOCK = 1024 * 1024;

/**
 * Takes calls out of the text of an answer, for servers that hand on what the model wrote. A text is no command: only a
 * complete call of an offered tool in the format of this model, at the end of the answer and quoted nowhere, is one.
 * Everything else stays text, unchanged.
 *
 * Text that may be a call is held back until that is decided. However the text is cut into pieces, the result is the
 * same.
 */
export class TextCalls {
	private readonly tools: ReadonlyMap<string, ToolDefinition>;
	private readonly names: readonly string[];
	private readonly sightings: CallDetector;
	private readonly surroundings = new MarkupTracker();
	private readonly pump = new Pump((source) => this.read(source));
	private readonly starts: ReadonlySet<string>;
	private out: string[] = [];
	/** White space that a call may follow. */
	private blank = '';
	private gaveText = false;
	private tries = 0;
	/** The block that is being read. */
	private block = { name: undefined as string | undefined, calls: [] as WrittenCall[], begin: 0 };
	private found: { start: Place; isMarked: boolean } | undefined;
	private failed: { why: Stop; name: string; begin: number; end: number } | undefined;

	/** @param tools those that the model may call */
	constructor(
		tools: readonly ToolDefinition[],
		private readonly family: Family | undefined,
	) {
		this.tools = new Map(tools.map((tool) => [tool.name, tool]));
		this.names = [...this.tools.keys()];
		this.sightings = new CallDetector(this.tools, family);
		const forms = family?.forms.filter(({ bare, told }) => !bare && !told) ?? [];
		this.starts = new Set(forms.flatMap(beginsOf).map((text) => text[0]!));
	}

	/** @returns the text to give out now */
	push(piece: string): string {
		if (this.tools.size === 0 || this.pump.source.isOver) return piece;
		this.sightings.push(piece);
		if (this.family === undefined) return piece;
		this.pump.push(piece);
		return this.out.splice(0).join('');
	}

	/** The end of the answer: the rest of the text, the calls, or what looks like one. */
	end(end: AnswerEnd): { text: string; calls: ReadCall[]; seen?: UnrunCall } {
		if (this.tools.size === 0) return { text: '', calls: [] };
		this.sightings.end();
		this.pump.end();
		const { found } = this;
		const because = found === undefined ? undefined : this.reasonAgainst(found, end);
		if (found !== undefined && because === undefined) return { text: this.taken(), calls: this.readCalls()! };
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

	/** Passes what cannot begin a call. The answer itself may be one from its first character on. */
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

	/** @returns whether calls came, and nothing behind them */
	private *readBlocks(source: Source, start: Place): Reading<boolean> {
		const isOff = this.tries >= MAX_TRIES || this.failed !== undefined || this.surroundings.isQuotation;
		for (const form of isOff ? [] : this.family!.forms) {
			const isInPlace = form.bare ? !this.gaveText : form.special === true || this.surroundings.isAtLineStart;
			if (!isInPlace || form.told) continue;
			source.back(start);
			this.block = { name: undefined, calls: [], begin: source.position };
			const opening = beginsOf(form).length === 0 ? '' : yield* source.oneOf(beginsOf(form));
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
		this.failed ??= { why: why === 'broken' && calls.length > 0 ? 'followed' : why, name, begin, end };
	}

	/** Why the calls that were found are not run. */
	private reasonAgainst({ isMarked }: { isMarked: boolean }, end: AnswerEnd): UnrunReason | undefined {
		const { foreign, own } = this.sightings;
		const { calls, begin } = this.block;
		if (end.hasOthers) return 'hasOthers';
		if (foreign !== undefined && foreign.at < begin) return 'foreign';
		// An answer that shows calls shows this one, too.
		if (own !== undefined && own.at < begin) return 'quoted';
		if (end.isBroken || (!isMarked && !end.isNatural)) return 'incomplete';
		if (this.readCalls() === undefined) return 'unfit';
		const { source } = this.pump;
		const written = (call: WrittenCall) =>
			// A call without arguments is its name: then what marks it counts.
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

	/** Gives out as text what was held for a call. */
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
			foreign !== undefined && (failed === undefined || foreign.at <= failed.begin || foreign.at >= failed.end);
		if (because !== undefined && because !== 'foreign') return { name: block.name!, family: family!, because };
		if (foreign !== undefined && (because === 'foreign' || (isForeign && failed?.why !== 'unknownTool')))
			return { name: foreign.name, family: foreign.family, because: 'foreign' };
		if (failed !== undefined)
			return { name: failed.name, family: family!, because: failed.why === 'broken' ? 'incomplete' : failed.why };
		if (own === undefined) return undefined;
		return { name: own.name, family: own.family, because: own.form.told ?? 'quoted' };
	}
}
