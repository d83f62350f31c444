/**
 * The options that an error response is about: fields that were sent, and that the response names in a place. What the
 * server says of them stays in its words.
 */
import { removeEchoes } from '../errors/echoes';
import type { NamedOption } from '../errors/facts';
import type { ServerError } from '../errors/server-error';
import type { NamedPlace, SentRequest } from './named-fields';
import { findPlaces } from './named-fields';
import type { NamedField, RequestFields } from './request-fields';
import { findField, getLabel, getPlace, getSentValue } from './request-fields';

/** Options that one error names. */
const MAX_OPTIONS = 2;

/** An error, and the options that it is about. */
export interface LabelledError {
	/** With the labels before its title. */
	error: ServerError;
	/** Undefined: it names none. */
	options: readonly NamedOption[] | undefined;
}

/**
 * The error with the labels of the options that its response names.
 *
 * @param sent - Of a task, all fields that its attempts sent; of a chat, those of its last attempt before what the server taught
 *   changes them.
 * @returns the same error if the response names no field that was sent
 */
export function labelOptions(
	error: ServerError,
	fields: RequestFields,
	sent: SentRequest,
): LabelledError {
	const { sentence, field } = error;
	const unchanged = { error, options: undefined };
	if (sentence === undefined || field !== undefined || isPromptLarger(error)) return unchanged;
	const named = findOptions(error, fields, sent);
	if (named.length === 0 || named.length > MAX_OPTIONS) return unchanged;
	return {
		error: withoutPlace(error, fields, named[0]!).withField(
			named.map(getLabel).join(', '),
			named.map(getPlace),
		),
		options: named.map((option) => ({
			...getPlace(option),
			remedy: option.row?.getAdvice?.(getSentValue(option, sent.body)),
		})),
	};
}

/** With the label in place of the place that the server names. */
function withoutPlace(error: ServerError, fields: RequestFields, option: NamedField): ServerError {
	const { place = '' } = error;
	const path = place.split(/[.[\]]/);
	if (place === '' || findField(fields, path)?.name !== option.name) return error;
	return error.copyWith({ place: undefined }).withFacts({ labelledPlace: place });
}

/** Whether the prompt alone exceeds the context: then no other option helps. */
function isPromptLarger({ type, facts }: ServerError): boolean {
	const { n_prompt_tokens: prompt, n_ctx: context } = facts;
	return type === 'promptTooLong' && Number(prompt) >= Number(context);
}

/** The named fields with an option that users know; of several places, one beside the message counts most. */
function findOptions(
	{ serverText = '', facts }: ServerError,
	fields: RequestFields,
	{ body, textsOfOthers }: SentRequest,
): NamedField[] {
	const places = findPlaces({ serverText: removeEchoes(serverText, textsOfOthers), facts }, body);
	const toOptions = (candidates: readonly NamedPlace[]) => {
		const named = candidates.flatMap(({ path }) => findField(fields, path) ?? []);
		const sent = named.filter((field) => getSentValue(field, body) !== undefined);
		return [...new Map(sent.map((field) => [getLabel(field), field])).values()];
	};
	const beside = toOptions(places.filter(({ index }) => index === undefined));
	// What the request contains, a visitor may have written.
	const isOwn = ({ mark }: NamedPlace) => !textsOfOthers.some((text) => text.includes(mark));
	const options = beside.length > 0 ? beside : toOptions(places.filter(isOwn));
	return options.filter((field) => getLabel(field) !== undefined);
}
