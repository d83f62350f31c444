/**
 * Finds names of fields in an error response where only a field can stand: beside the message (`param`), in quotation marks,
 * in a path (`body.top_k`, `messages[0].content`, pydantic's lines), or as a word with an underscore. Not in an object that
 * repeats the request.
 */
import { removeEchoes } from '../errors/echoes';
import type { ServerError } from '../errors/server-error';
import { asNonEmptyString, asRecord } from '../values/records';
import type { JsonRecord } from '../values/records';

/** A request that a response is about. */
export interface SentRequest {
	/** As it was sent. */
	body: JsonRecord;
	/** Those that the author of the workflow did not write (`Attempt`). */
	textsOfOthers: readonly string[];
}

/** A name, and where it stands. */
export interface NamedPlace {
	/** The first name in the path that was sent; otherwise the last one. */
	name: string;
	/** Whether it was sent. */
	isSent: boolean;
	/** The last name of the path, which is inside of the field. */
	innerName: string;
	/** All names of the path, from the outside to the inside. */
	path: readonly string[];
	/** As it stands in the message, with its quotation marks. */
	mark: string;
	/** Where it begins in the message; undefined beside the message. */
	index?: number;
	/** Where the list of names begins that it stands in: between them are only punctuation, numbers and other literals. */
	listIndex?: number;
}

/** Of all kinds, straight and typographic. */
const QUOTED = /(['"`])([\w.[\]-]{1,100})\1|[‘“]([\w.[\]-]{1,100})[’”]/g;

/** A path of names and indexes, with FastAPI's arrows, or a word with an underscore. Not a path of files. */
const PATH = /(?<![\w./\\-])\w+(?:(?:\.| -> )\w+|\[\w{0,20}\])*(?![\w/\\-])/g;

/** Names that are joined by periods alone may be a file: `model.gguf`. */
const PATH_OF_BODY = /^(?:body|form)\.|[_[]| -> |\.\d{1,6}(?!\w)/;

/** A field behind the name of its type, as Go writes it: `ChatCompletionRequest.temperature`. Counts if it was sent. */
const FIELD_OF_TYPE = /^\p{Lu}\w{0,100}\.(\w+)$/u;

/** A line that consists of a name: pydantic's text. */
const LINE = /^([\w.]{1,100})\r?$/gm;

/** A name before a colon, where an issue begins: `error-body.ts` joins the place of an issue and its message so. */
const BEFORE_COLON = /(?<=^|; )([\w.[\]]{1,100}): /g;

/** An issue of pydantic as a text, in JSON or in Python's notation: its keys name nothing, the place in it does. */
const ISSUE = /['"]loc['"] {0,2}: {0,2}[([]/;

const ISSUE_KEY = /^(?:type|loc|msg|input|ctx|url)$/;

/** All places of an error response in which a field may be named, for the body that was sent. */
export function findPlaces(
	{ serverText = '', facts }: Pick<ServerError, 'serverText' | 'facts'>,
	body: JsonRecord,
): NamedPlace[] {
	const sentNames = new Set([body, asRecord(body.options)].flatMap(Object.keys).map(toPlainName));
	const toPlace = (text: string, mark: string, index?: number): NamedPlace[] => {
		const path = text.split(/[.[\]]| -> /).filter((segment) => segment !== '');
		const sentName = path.find((segment) => sentNames.has(segment));
		const innerName = path.at(-1);
		if (innerName === undefined) return [];
		const isSent = sentName !== undefined;
		return [{ name: sentName ?? innerName, isSent, innerName, path, mark, index }];
	};
	const paths = [...serverText.matchAll(PATH)].filter(
		([text]) => PATH_OF_BODY.test(text) || sentNames.has(FIELD_OF_TYPE.exec(text)?.[1] ?? ''),
	);
	const isIssue = ISSUE.test(serverText);
	const isKeyOfIssue = ({ 0: mark, 2: name = '', index }: RegExpExecArray) =>
		isIssue &&
		ISSUE_KEY.test(name) &&
		/^ {0,2}:/.test(serverText.slice(index + mark.length, index + mark.length + 3));
	const matches = [
		...[...serverText.matchAll(QUOTED)].filter((match) => !isKeyOfIssue(match)),
		...paths,
		...serverText.matchAll(LINE),
		...serverText.matchAll(BEFORE_COLON),
	].sort((left, right) => left.index - right.index);
	const repeated = findRepeatedRequests(serverText, body);
	const param = asNonEmptyString(facts.param);
	const inText = matches.flatMap(({ 0: text, 1: name, 2: quoted, 3: typographic, index }) =>
		repeated.some(({ from, to }) => index >= from && index < to)
			? []
			: toPlace(typographic ?? quoted ?? name ?? text, text, index),
	);
	return [...(param === undefined ? [] : toPlace(param, param)), ...withLists(inText, serverText)];
}

/** What stands between the names of a list, or between the keys of an object. */
const BETWEEN_NAMES = /^[\s,:()[\]{}\d.+-]*(?:(?:true|false|none|null)[\s,:()[\]{}]*)?$/i;

/** Places in their order, with the lists that they stand in. */
function withLists(places: readonly NamedPlace[], text: string): NamedPlace[] {
	let listIndex = 0;
	let end = -1;
	return places.map((place) => {
		const { index = 0, mark } = place;
		const isNext = end >= index || (end >= 0 && BETWEEN_NAMES.test(text.slice(end, index)));
		if (!isNext) listIndex = index;
		end = Math.max(end, index + mark.length);
		return { ...place, listIndex };
	});
}

/** Part of a text. */
interface Stretch {
	from: number;
	/** Behind its last character. */
	to: number;
}

/** The model of a request, in JSON or as a program prints it. */
const MODEL = /(?<![\w.-])["'`]?model["'`]?\s{0,4}:\s{0,4}["'`]([^"'`]{0,200})/g;

/** Where a text repeats the request: objects with the model that was sent. Its keys name nothing. */
function findRepeatedRequests(text: string, { model }: JsonRecord): Stretch[] {
	const hasModel = (object: string) =>
		[...object.matchAll(MODEL)].some(([, name]) => name === model);
	return findObjects(text).filter(({ from, to }) => hasModel(text.slice(from, to)));
}

/** The outermost objects of a text; one that was cut off ends with it. */
function findObjects(text: string): Stretch[] {
	const objects: Stretch[] = [];
	let depth = 0;
	for (const { 0: brace, index } of text.matchAll(/[{}]/g)) {
		if (brace === '{') {
			if (depth === 0) objects.push({ from: index, to: text.length });
			depth += 1;
		} else if (depth > 0) {
			depth -= 1;
			if (depth === 0) objects.at(-1)!.to = index + 1;
		}
	}
	return objects;
}

/** The name of a field without the mark of a list in a form. */
export function toPlainName(name: string): string {
	return name.replace(/\[\]$/, '');
}

/** Whether an error response names a field of the body that was sent, not where it repeats the request. */
export function namesSentField(
	{ serverText = '', facts }: Pick<ServerError, 'serverText' | 'facts'>,
	{ body, textsOfOthers }: SentRequest,
): boolean {
	const ownText = removeEchoes(serverText, textsOfOthers);
	return findPlaces({ serverText: ownText, facts }, body).some(({ isSent }) => isSent);
}
