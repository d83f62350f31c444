/** Which kind of failure the text and the codes of an error tell. */
import { MAX_READ } from './failed-answer';
import type { FailureKind } from './kinds';
import { BY_CODE, BY_TEXT, SPENT } from './words-of-servers';

export type Codes = ReadonlyArray<string | undefined>;

/** Whether an error says, with any status, that the budget of the key is spent. */
export function isBudgetSpent(message: string, codes: Codes): boolean {
	return kindOfCodes(codes) === 'budgetSpent' || SPENT.test(message.slice(0, MAX_READ));
}

/** The kind that an error's codes tell; undefined where they tell none. */
export function kindOfCodes(codes: Codes): FailureKind | undefined {
	return codes.map((code) => BY_CODE[code ?? '']).find((kind) => kind !== undefined);
}

/**
 * The kind that an error's codes or text tell; undefined where they tell none. llama-server answers many client
 * mistakes with 500, so this comes before the status (docs/protocols/llama-server.md 4.2).
 */
export function kindOfMessage(message: string, ...codes: Codes): FailureKind | undefined {
	const start = message.slice(0, MAX_READ);
	// The whole text may be a code, too (Olla).
	const byCode = kindOfCodes([...codes, start]);
	const clauses = clausesOf(start);
	const byText = BY_TEXT.find(([, ...patterns]) =>
		(patterns as RegExp[]).some((pattern) => clauses.some((clause) => pattern.test(clause))),
	)?.[0];
	// LM Studio's code says "model not found" for a chat model that is asked for embeddings.
	return byText === 'wrongModelType' ? byText : (byCode ?? byText);
}

const MAX_CLAUSES = 12;

/** A text, and what of it stands behind the words of gateways and the names of exceptions. */
function clausesOf(message: string): string[] {
	const starts = [...message.matchAll(/(?:: | - | = |\n)(?:[45]\d\d )?(?=\S)/g)].slice(
		0,
		MAX_CLAUSES,
	);
	return [message, ...starts.map(({ index, 0: words }) => message.slice(index + words.length))];
}
