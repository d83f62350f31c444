/** Texts: conversion, shortening, what is in them. */
import { isRecord, asArray } from './records';

/**
 * Any JSON value as text. Not `String`, which throws for `{"toString":1}` and returns "[object Object]" for other objects.
 */
export function toText(value: unknown): string {
	return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** Shortens a text to `maxLength` characters; a shortened text ends in "…". */
export function truncate(text: string, maxLength: number): string {
	if (text.length <= maxLength) return text;
	const characters = [...text.slice(0, 2 * maxLength + 1)];
	return characters.length <= maxLength ? text : `${characters.slice(0, maxLength - 1).join('')}…`;
}

/**
 * Shortens a sentence to `maxLength` characters: what is quoted in it may have any length, and its end says what to do. A
 * shortened one has "…" after two thirds.
 */
export function truncateMiddle(sentence: string, maxLength: number): string {
	if (truncate(sentence, maxLength) === sentence) return sentence;
	const endLength = Math.floor(maxLength / 3);
	const beginning = [...sentence.slice(0, 2 * maxLength)].slice(0, maxLength - endLength - 1);
	const end = [...sentence.slice(-2 * endLength)].slice(-endLength);
	return `${beginning.join('')}…${end.join('')}`;
}

/**
 * Removes the characters at both ends that a pattern matches. A pattern such as `x+$` would take quadratic time.
 *
 * @param atStart - Matches one character.
 * @param atEnd - Matches one character. Default: the same.
 */
export function withoutEnds(text: string, atStart: RegExp, atEnd: RegExp = atStart): string {
	let from = 0;
	let to = text.length;
	while (from < to && atStart.test(text[from]!)) from++;
	while (to > from && atEnd.test(text[to - 1]!)) to--;
	return text.slice(from, to);
}

/** The message of any thrown value. */
export function getErrorMessage(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The letters and digits of a text, in lower case: a quotation of it may escape everything else. */
export function normalizeLetters(text: string): string {
	return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** All texts in a value, in order. */
export function collectTexts(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return (isRecord(value) ? Object.values(value) : asArray(value)).flatMap(collectTexts);
}

/** A boolean as expressions and tables write it ("TRUE", 1); undefined for anything else. */
export function parseBoolean(value: unknown): boolean | undefined {
	const word = toText(value).trim().toLowerCase();
	if (word === 'true' || word === '1') return true;
	return word === 'false' || word === '0' ? false : undefined;
}
