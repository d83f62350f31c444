/**
 * The option that an error response is about: a field that was sent, and that the response names in a place. What the server says of
 * it stays in the words of the server.
 */
import { removeEchoes } from '../errors/echoes';
import { isOneOf, isUnknownError } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString } from '../values/records';
import { collectTexts } from '../values/text';
import type { NamedField, RequestFields } from './request-fields';
import { findField, getLabel, getSentValue } from './request-fields';

/** Options that one error names. */
const MAX_OPTIONS = 2;

/** Their words may be about a value as well: a file, a schema, a prompt. */
const mayBeAboutOption = isOneOf(
	'modalityUnsupported',
	'promptTooLong',
	'grammarRejected',
	'featureDisabled',
	'requestTooLarge',
);

/**
 * The error with the label of the option that its response names, and the advice to change it.
 *
 * @param body - As sent.
 * @returns the same error if the response names no field that was sent
 */
export function withRejectedOption(
	error: ServerError,
	fields: RequestFields,
	body: JsonRecord,
): ServerError {
	const { type, isServerText, field, serverText = '', facts } = error;
	if (isServerText !== true || field !== undefined || isPromptLarger(error)) return error;
	const param = asNonEmptyString(facts.param);
	const options = findOptions({ message: serverText, param }, fields, body);
	if (options.length === 0 || options.length > MAX_OPTIONS) return error;
	const labelled = withoutPlace(error, fields, options[0]!).withField(
		options.map(getLabel).join(', '),
	);
	if (!isUnknownError(type) && !mayBeAboutOption(type)) return labelled;
	return labelled.copyWith({
		type: isUnknownError(type) ? type : 'badRequest',
		suggestion: options.map((option) => toSuggestion(option, body)).join(' '),
	});
}

/** A place before the sentence: `error-body.ts` writes it there, and the label takes its place. */
const PLACE = /^([a-z][\w.[\]-]{0,100}): (?=\S)/;

function withoutPlace(error: ServerError, fields: RequestFields, option: NamedField): ServerError {
	const [mark = '', place = ''] = PLACE.exec(error.message) ?? [];
	if (mark === '' || findField(fields, toPath(place))?.name !== option.name) return error;
	return error.copyWith({
		title: error.message.slice(mark.length),
		detail: error.detail,
		isServerText: true,
	});
}

/** Whether the prompt alone exceeds the context: then no other option helps. */
function isPromptLarger({ type, facts }: ServerError): boolean {
	const { n_prompt_tokens: prompt, n_ctx: context } = facts;
	return type === 'promptTooLong' && Number(prompt) >= Number(context);
}

/** What an error response says. */
interface ResponseText {
	message: string;
	/** OpenAI's API: the name of the field, next to the message. */
	param: string | undefined;
}

/** The named fields with an option that users know; of several places, `param` counts most. */
function findOptions(
	{ message, param = '' }: ResponseText,
	fields: RequestFields,
	body: JsonRecord,
): NamedField[] {
	const texts = collectTexts(Object.values(body));
	const toOptions = (paths: ReadonlyArray<readonly string[]>) => {
		const named = paths.flatMap((path) => findField(fields, path) ?? []);
		const sent = named.filter((field) => getSentValue(field, body) !== undefined);
		return [...new Map(sent.map((field) => [getLabel(field), field])).values()];
	};
	const byParam = toOptions([toPath(param)]);
	const options = byParam.length > 0 ? byParam : toOptions(findPlaces(message, texts));
	return options.filter((field) => getLabel(field) !== undefined);
}

/** A name at the beginning, before a colon: what FastAPI calls `loc` is written so. */
const LEADING_PATH = /(?:^|; )([a-z][\w.[\]-]{0,100}): /g;

/** `body.n`, `messages.0.content`, `tools[0].type` */
const DOTTED_PATH =
	/\b(?:body|form)(?:\.| -> )([\w.[\]-]{1,100})|\b(\w{1,60}(?:\[\d{0,6}\]|\.\d{1,6}\b)[\w.[\]]{0,100})/g;

/** A name in quotation marks, also in Python's notation of a place: `('body', 'n')`. */
const QUOTED_NAME = /["'`‘“]([a-z][\w.[\]-]{0,80})["'`’”]/gi;

/** A name that is no word of a sentence. */
const JOINED_NAME = /\b[a-z]\w*_\w+(?:\[\])?/g;

/**
 * Paths of the fields that a message may name.
 *
 * @param texts - Of the request. What they contain, a visitor may have written.
 */
function findPlaces(message: string, texts: readonly string[]): string[][] {
	const own = removeEchoes(message, texts);
	const isOwn = (mark: string) => !texts.some((text) => text.includes(mark));
	const places = [LEADING_PATH, DOTTED_PATH, QUOTED_NAME, JOINED_NAME].flatMap((pattern) =>
		[...own.matchAll(pattern)].filter(([mark]) => isOwn(mark)),
	);
	return places.map(([mark, first, second]) => toPath(first ?? second ?? mark));
}

/** The names from the outside to the inside. */
function toPath(place: string): string[] {
	return place
		.replaceAll('[]', '')
		.split(/\.|\[(?=\d)|\]/)
		.filter((name) => name !== '' && name !== 'body');
}

function toSuggestion(option: NamedField, body: JsonRecord): string {
	const { name, row } = option;
	if (row === undefined) return `Change ${name} in "Extra Body".`;
	return row.getAdvice?.(getSentValue(option, body)) ?? `Change "${row.label}".`;
}
