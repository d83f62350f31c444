export function textOf(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

export function numbers(list: unknown): number[] | undefined {
	return Array.isArray(list) && list.every((one) => typeof one === 'number') ? list : undefined;
}
