/** Types of n8n's package check, which ships none. */
declare module '@n8n/scan-community-package/scanner/scanner.mjs' {
	export const SOURCE_FILE_PATTERNS: readonly string[];
	export function analyzePackage(
		packageDir: string,
		filePatterns?: readonly string[],
	): Promise<{ passed: boolean; message?: string; details?: string }>;
}
