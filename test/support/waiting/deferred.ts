/** `wait` resolves when the test calls `open`. */
export const createDeferred = (): { wait: Promise<void>; open: () => void } => {
	let open = (): void => undefined;
	const wait = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { wait, open: () => open() };
};
