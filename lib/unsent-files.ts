/** Files of a chat message that are not sent, as a hint names them. */

/** A file that is not sent. */
export interface UnsentFile {
	name: string;
	/** A clause, such as "the app accepts only images". */
	reason: string;
}

/** "2 files were not sent: a.zip, b.zip (the app accepts only images)." */
export function describeUnsentFiles(unsent: readonly UnsentFile[]): string {
	const namesByReason = Map.groupBy(unsent, ({ reason }) => reason);
	const groups = [...namesByReason].map(
		([reason, files]) => `${files.map(({ name }) => name).join(', ')} (${reason})`,
	);
	const count = unsent.length === 1 ? '1 file was' : `${unsent.length} files were`;
	return `${count} not sent: ${groups.join('; ')}.`;
}
