import process from 'node:process';

/** Whether stored results are written instead of compared. */
export const isWriting = process.env.CONTRACT_WRITE === '1';
if (isWriting && Boolean(process.env.CI))
	throw new Error(
		'CONTRACT_WRITE is not allowed in CI: update the stored results on your machine.',
	);
