/** Files that a person put in and that are not sent, as a hint names them. */
import { truncate } from './values/text';

/** A file that is not sent. */
export interface UnsentFile {
	name: string;
	/** A clause, such as "the app accepts only images". */
	reason: string;
	/** How it would be sent: a sentence. Default: nothing helps. */
	remedy?: string;
}

/** Names in a hint: a run may have many items, and a name from a visitor any length. */
const MAX_NAMES = 10;
const MAX_NAME_LENGTH = 80;

/** "2 files were not sent: a.zip, b.zip (the app accepts only images)." */
export function describeUnsentFiles(unsent: readonly UnsentFile[]): string {
	const named = unsent.slice(0, MAX_NAMES);
	const groups = [...Map.groupBy(named, ({ reason }) => reason)].map(
		([reason, files]) =>
			`${files.map(({ name }) => truncate(name, MAX_NAME_LENGTH)).join(', ')} (${reason})`,
	);
	const others = unsent.length - named.length;
	const more = others === 0 ? '' : `; and ${others} more`;
	const count = unsent.length === 1 ? '1 file was' : `${unsent.length} files were`;
	const remedies = new Set(unsent.flatMap(({ remedy }) => remedy ?? []));
	return [`${count} not sent: ${groups.join('; ')}${more}.`, ...remedies].join(' ');
}
