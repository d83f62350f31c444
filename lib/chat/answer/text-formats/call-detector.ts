import { memoized } from '../../../lru-cache';
import type { ToolDefinition } from '../../types';
import { offeredName } from '../offered-tools';
import { FAMILIES, type Family } from './families';
import type { Form } from './forms';
import { readBlock, markersOf } from './shapes';
import { attempt, Pump, type Reading, type Source, Stopped } from './source';

interface Opening {
	family: Family;
	form: Form;
}

/** The markers with which a call of a form can begin. */
export const openingMarkers = memoized(
	(form: Form): readonly string[] =>
		form.begins ?? [...(form.around?.open ?? []), ...markersOf(form).begins],
);

/** The opening markers of all families, with the forms that use them. */
const OPENINGS = new Map<string, Opening[]>();
for (const family of FAMILIES)
	for (const form of family.forms.filter(({ bare }) => bare !== true))
		for (const text of openingMarkers(form))
			OPENINGS.set(text, [...(OPENINGS.get(text) ?? []), { family, form }]);
const OPENING_TEXTS = [...OPENINGS.keys()];
const OPENING_TEXTS_AND_JSON = [...OPENING_TEXTS, '{'];

/** Detects possible calls in any format, anywhere in a text, in one pass, without holding text back. */
export class CallDetector {
	/** The first possible call in the model's own format, and the first in another format. */
	own: (Opening & { name: string; at: number }) | undefined;
	foreign: (Opening & { name: string; at: number }) | undefined;
	private readonly pump = new Pump((source) => this.read(source));
	private readonly texts: readonly string[];
	private readonly starts: ReadonlySet<string>;
	private readonly bareJson: Opening | undefined;
	private readonly names: readonly string[];

	constructor(
		private readonly tools: ReadonlyMap<string, ToolDefinition>,
		private readonly family: Family | undefined,
	) {
		this.names = [...tools.keys()];
		const form = family?.forms.find(({ bare, shape }) => bare && shape.kind === 'json');
		if (family !== undefined && form !== undefined) this.bareJson = { family, form };
		this.texts = this.bareJson === undefined ? OPENING_TEXTS : OPENING_TEXTS_AND_JSON;
		this.starts = new Set(this.texts.map((text) => text[0]!));
	}

	push(piece: string): void {
		if (this.tools.size > 0) this.pump.push(piece);
	}

	end(): void {
		this.pump.end();
	}

	private *read(source: Source): Reading<void> {
		while (
			(this.own === undefined || this.foreign === undefined) &&
			(yield* source.peek()) !== ''
		) {
			source.forget();
			const { text } = source;
			while (source.at < text.length && !this.starts.has(text[source.at]!)) source.at += 1;
			if (source.at === text.length) continue;
			const start = source.place;
			const at = source.position;
			const opening = yield* source.oneOf(this.texts);
			if (opening === undefined) source.at += 1;
			else if (opening === '{') {
				source.back(start);
				yield* this.look(source, '', [this.bareJson!], at);
			} else yield* this.look(source, opening, OPENINGS.get(opening)!, at);
		}
	}

	/** Tries each format with this opening, the model's own first. The one that reads furthest counts. */
	private *look(
		source: Source,
		opening: string,
		candidates: readonly Opening[],
		at: number,
	): Reading<void> {
		const behind = source.place;
		if (opening === '') source.at += 1;
		let furthest = source.place;
		let [position, meant] = [
			source.position,
			undefined as NonNullable<CallDetector['own']> | undefined,
		];
		for (const one of candidates.toSorted(
			(a, b) => Number(b.family === this.family) - Number(a.family === this.family),
		)) {
			let tool: string | undefined;
			const named = (written: string) => {
				tool ??= offeredName(written, this.names);
				if (tool === undefined) throw new Stopped('unknownTool');
			};
			source.back(behind);
			yield* attempt(readBlock({ source, named, names: this.names, calls: [] }, one.form, opening));
			if (source.position <= position) continue;
			furthest = source.place;
			position = source.position;
			if (tool !== undefined) meant = { ...one, name: tool, at };
		}
		source.back(furthest);
		if (meant?.family === this.family) this.own ??= meant;
		else this.foreign ??= meant;
	}
}
