import { memoized } from '../../lru-cache';
import type { ToolDefinition } from '../types';
import { FAMILIES, type Family } from './families';
import type { Form } from './forms';
import { offeredName } from './offered-name';
import { markersOf, readBlock } from './shapes';
import { attempt, Source, stop } from './source';

interface Opening {
	family: Family;
	form: Form;
}

/** A possible call: its tool, and where it begins in the text. */
export interface Sighting extends Opening {
	name: string;
	at: number;
}

/** The possible calls of a text, whatever their format and their place. */
export interface Sightings {
	/** The first in the model's own format, and the first in another format. */
	own?: Sighting;
	foreign?: Sighting;
	/** There were more openings than are looked at. */
	areTooMany: boolean;
}

/** More openings, or more text behind them, are not looked at: then no call of the answer is run. */
const MAX_LOOKS = 1000;
const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_BLOCK = 1024 * 1024;

/** The markers with which a call of a form can begin. */
export const openingMarkers = memoized(
	(form: Form): readonly string[] =>
		form.begins ?? [...(form.around?.open ?? []), ...markersOf(form).begins],
);

/** The opening markers of all families, with the forms that use them. */
const OPENINGS = new Map<string, Opening[]>();
for (const family of FAMILIES)
	for (const form of family.forms.filter(({ bare }) => bare !== true))
		for (const text of openingMarkers(form)) {
			const openings = OPENINGS.get(text) ?? [];
			openings.push({ family, form });
			OPENINGS.set(text, openings);
		}

const OPENING = patternOf([...OPENINGS.keys()]);
const OPENING_OR_JSON = patternOf([...OPENINGS.keys(), '{']);

/** The longest of these texts that comes next. */
function patternOf(texts: readonly string[]): RegExp {
	const longestFirst = texts.toSorted((a, b) => b.length - a.length);
	return new RegExp(longestFirst.map((text) => text.replace(/[^\w\s]/g, '\\$&')).join('|'), 'g');
}

/** Looks for possible calls in any format, anywhere in a text. */
export function callsSeen(
	text: string,
	tools: ReadonlyMap<string, ToolDefinition>,
	family: Family | undefined,
): Sightings {
	const names = [...tools.keys()];
	const bareForm = family?.forms.find(({ bare, shape }) => bare && shape.kind === 'json');
	const openings = bareForm === undefined ? OPENING : OPENING_OR_JSON;
	const sightings: Sightings = { areTooMany: false };
	let looks = 0;
	let characters = 0;
	openings.lastIndex = 0;
	for (let match = openings.exec(text); match !== null; match = openings.exec(text)) {
		const [opening] = match;
		looks += 1;
		if (looks > MAX_LOOKS || characters > MAX_CHARACTERS) {
			sightings.areTooMany = true;
			break;
		}
		const candidates = OPENINGS.get(opening) ?? [{ family: family!, form: bareForm! }];
		const block = text.slice(match.index, match.index + MAX_BLOCK);
		const look = lookAt(block, opening, ownFirst(candidates, family), names);
		characters += look.characters;
		openings.lastIndex = match.index + look.end;
		if (look.call === undefined) continue;
		const sighting = { ...look.call, at: match.index };
		if (sighting.family === family) sightings.own ??= sighting;
		else sightings.foreign ??= sighting;
		if (sightings.own !== undefined && sightings.foreign !== undefined) break;
	}
	return sightings;
}

function ownFirst(candidates: readonly Opening[], family: Family | undefined): Opening[] {
	const isOwn = (one: Opening) => Number(one.family === family);
	return candidates.toSorted((a, b) => isOwn(b) - isOwn(a));
}

/** Tries each format with this opening. The one that reads furthest counts. */
function lookAt(
	block: string,
	opening: string,
	candidates: readonly Opening[],
	names: readonly string[],
): { call?: Opening & { name: string }; end: number; characters: number } {
	const isJson = opening === '{';
	const look: ReturnType<typeof lookAt> = { end: opening.length, characters: 0 };
	for (const candidate of candidates) {
		const source = new Source(block, true);
		source.at = isJson ? 0 : opening.length;
		let tool: string | undefined;
		const named = (written: string) => {
			tool ??= offeredName(written, names);
			if (tool === undefined) stop('unknownTool');
		};
		const reading = { source, named, names, calls: [] };
		attempt(() => readBlock(reading, candidate.form, isJson ? '' : opening));
		look.characters += source.at;
		if (source.at <= look.end) continue;
		look.end = source.at;
		if (tool !== undefined) look.call = { ...candidate, name: tool };
	}
	return look;
}
