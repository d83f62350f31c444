/** Whether a model of the list is meant by a name. Ollama takes a name without a tag for `:latest`. */
export function isNamed(id: string, wanted: string | undefined): boolean {
	return wanted !== undefined && (id === wanted || id === `${wanted}:latest`);
}

/** The same for its other names. */
export function isModelNamed(
	{ id, aliases }: { id: string; aliases: readonly string[] },
	wanted: string | undefined,
): boolean {
	return isNamed(id, wanted) || (wanted !== undefined && aliases.includes(wanted));
}
