import { isRecord, nonEmptyText, words } from '../../values';

/** The reason in a field as text, also from an object or a number; undefined without one. */
export function reasonIn(value: unknown): string | undefined {
	const reason = isRecord(value)
		? (nonEmptyText(value.type) ?? nonEmptyText(value.reason) ?? words(value))
		: words(value);
	// The text "null" is no reason either: some servers send it in every chunk but the last.
	return ['', 'null', 'undefined', 'false'].includes(reason) ? undefined : reason;
}
