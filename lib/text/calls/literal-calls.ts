/** Shape (c): calls that are written like Python, or `call:N{…}`, between marks. */
import { pushAll } from '../../values/lists';
import { readLiteralCallsAt } from '../literals';
import { findArgumentsProblem } from './json-calls';
import { MAX_VALUES } from './limits';
import type { TextCursor } from './cursor';
import type { CallCandidate } from './types';

/** Where a literal begins: `[N(`, `N(`, Gemma's `call:N{`. */
const START = /(?=\[?\s*[\w.-]{1,128}\s*\(|call:)/y;
const CALL_WORD = 'call:';
/** MiniCPM 4 puts its calls into a code block (its chat template). */
const FENCE = /```(?:python)?[ \t]*\n\s*/y;
const FENCE_END = /\s*```/y;
const SEPARATOR = /[\s\u200B]*/y;

/** Reads one call, a list of calls, or a code block with calls. */
export function readLiteralCalls(cursor: TextCursor): CallCandidate[] | undefined {
	const from = cursor.at;
	const isInBlock = cursor.match(FENCE) !== undefined;
	const candidates: CallCandidate[] = readLiterals(cursor) ?? [];
	while (isInBlock && candidates.length > 0 && candidates.at(-1)!.problems.length === 0) {
		if (cursor.match(FENCE_END) !== undefined) return candidates;
		cursor.match(SEPARATOR);
		const next = readLiterals(cursor);
		if (next === undefined) return candidates.map((call) => ({ ...call, problems: ['noEnd'] }));
		pushAll(candidates, next);
	}
	if (candidates.length > 0) return candidates;
	cursor.at = from;
	return undefined;
}

function readLiterals(cursor: TextCursor): CallCandidate[] | undefined {
	const from = cursor.at;
	if (cursor.match(START) === undefined) return undefined;
	cursor.skip(CALL_WORD);
	const literal = readLiteralCallsAt(cursor.text, cursor.at, MAX_VALUES);
	cursor.charge(literal.to - cursor.at);
	if (literal.largeCall !== undefined) {
		cursor.at = literal.to;
		return [
			{
				syntax: 'literal',
				name: literal.largeCall,
				arguments: undefined,
				range: { from, to: cursor.at },
				problems: ['tooLarge'],
			},
		];
	}
	if (literal.result === undefined) {
		cursor.at = from;
		return undefined;
	}
	cursor.at = literal.to;
	const range = { from, to: cursor.at };
	return literal.result.map(({ name, arguments: args }): CallCandidate => {
		const problem = findArgumentsProblem(args);
		return {
			syntax: 'literal',
			name,
			arguments: args,
			range,
			problems: problem === undefined ? [] : [problem],
		};
	});
}
