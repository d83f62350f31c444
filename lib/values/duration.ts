/** A duration as text: "800 ms", "12.5 s", "3 minutes". */
export function formatDuration(ms: number | undefined): string {
	if (ms === undefined) return 'the configured time';
	if (ms < 1000) return `${ms} ms`;
	if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
	return `${Math.round(ms / 6000) / 10} minutes`;
}
