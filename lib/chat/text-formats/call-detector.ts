import { memoized } from '../../lru-cache';
import type { ToolDefinition } from '../types';
import { FAMILIES, type Family } from './families';
import type { Form } from './forms';
import { offeredName } from './offered-name';
import { markersOf, readBlock } from './shapes';
import { attempt, Source, stop } from './source';
import { literalPattern } from '../../values';

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
/** Calls that are read in one go. What follows them is the next block. */
const MAX_CALLS = 1000;

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
	return new RegExp(longestFirst.map(literalPattern).join('|'), 'g');
}

/** Looks for possible calls in any format, anywhere in a text. Yields after each format that was tried. */
export function* callsSeen(
	text: string,
	tools: ReadonlyMap<string, ToolDefinition>,
	family: Family | undefined,
): Generator<void, Sightings> {
	const names = [...tools.keys()];
	const bareJson = bareJsonOf(family);
	const sightings: Sightings = { areTooMany: false };
	let looks = 0;
	let characters = 0;
	let opening = nextOpening(text, 0, bareJson);
	while (opening !== undefined) {
		looks += 1;
		if (looks > MAX_LOOKS || characters > MAX_CHARACTERS) return { ...sightings, areTooMany: true };
		const { at, marker, candidates } = opening;
		const block = text.slice(at, at + MAX_BLOCK);
		const look = yield* lookAt(block, marker, ownFirst(candidates, family), names);
		if (look.call !== undefined) {
			const place = look.call.family === family ? 'own' : 'foreign';
			sightings[place] ??= { ...look.call, at };
		}
		if (sightings.own !== undefined && sightings.foreign !== undefined) return sightings;
		characters += look.characters;
		opening = nextOpening(text, at + look.end, bareJson);
	}
	return sightings;
}

/** The form of a family that writes calls as JSON without markers. */
function bareJsonOf(family: Family | undefined): Opening | undefined {
	if (family === undefined) return undefined;
	const form = family.forms.find(({ bare, shape }) => bare && shape.kind === 'json');
	return form === undefined ? undefined : { family, form };
}

/** @param bareJson also looks for JSON without markers, in this form */
function nextOpening(text: string, from: number, bareJson: Opening | undefined) {
	const pattern = bareJson === undefined ? OPENING : OPENING_OR_JSON;
	pattern.lastIndex = from;
	const match = pattern.exec(text);
	if (match === null) return undefined;
	const [marker] = match;
	return { at: match.index, marker, candidates: OPENINGS.get(marker) ?? [bareJson!] };
}

function ownFirst(candidates: readonly Opening[], family: Family | undefined): Opening[] {
	const isOwn = (one: Opening) => Number(one.family === family);
	return candidates.toSorted((a, b) => isOwn(b) - isOwn(a));
}

interface Look {
	call?: Opening & { name: string };
	/** How far the block was read. */
	end: number;
	/** What all formats read of it together. */
	characters: number;
}

/** Tries each format with this opening. The one that reads furthest counts. */
function* lookAt(
	block: string,
	opening: string,
	candidates: readonly Opening[],
	names: readonly string[],
): Generator<void, Look> {
	const isJson = opening === '{';
	const look: Look = { end: opening.length, characters: 0 };
	for (const candidate of candidates) {
		yield;
		const source = new Source(block, true);
		source.at = isJson ? 0 : opening.length;
		let tool: string | undefined;
		let calls = 0;
		const named = (written: string) => {
			tool ??= offeredName(written, names);
			if (tool === undefined) stop('unknownTool');
			calls += 1;
			if (calls > MAX_CALLS) stop('followed');
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
