import * as crypto from 'node:crypto';

/** The shortest part of a secret that counts as leaked: half of it. */
const partOf = (secret: string) => Math.min(16, Math.ceil(secret.length / 2));

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * A unique random text. Each of its parts has letters and digits, so that parts are recognized in answers too.
 *
 * @param signs inserted between its characters, one after every four
 */
export function canary(length = 24, signs = ''): string {
	const bytes = crypto.randomBytes(length);
	return Array.from(bytes, (byte, at) => {
		const letter = at % 2 === 1 ? String(byte % 10) : LETTERS[byte % LETTERS.length]!;
		return at % 4 === 3 ? letter + (signs[(at - 3) / 4] ?? '') : letter;
	}).join('');
}

/** The forms in which servers and proxies echo a text, and which are masked: plain, in a URL, in JSON. */
export const echoForms = (text: string): Record<string, string> => ({
	plain: text,
	url: encodeURIComponent(text),
	json: JSON.stringify(text).slice(1, -1),
});

/** Finds parts of secrets in texts, in every encoding of `echoForms`. */
export class Search {
	private readonly parts = new Map<string, Map<string, string>>();

	/** @param secrets by their names */
	constructor(secrets: Readonly<Record<string, string>>) {
		for (const [name, secret] of Object.entries(secrets)) {
			const { plain, url, json } = echoForms(secret);
			const part = partOf(secret);
			for (const form of [plain, url, json]) this.add(name, form!, part);
		}
	}

	private add(name: string, form: string, length: number): void {
		for (let from = 0; from + length <= form.length; from++) {
			const part = form.slice(from, from + length);
			const begin = part.slice(0, 4);
			const parts = this.parts.get(begin) ?? new Map<string, string>();
			this.parts.set(begin, parts.set(part, name));
		}
	}

	/** All findings, each with the secret's name and the text around it. */
	in(text: string): string[] {
		const found: string[] = [];
		for (let at = 0; at < text.length; at++) {
			const parts = this.parts.get(text.slice(at, at + 4));
			if (parts === undefined) continue;
			for (const [part, name] of parts) {
				if (!text.startsWith(part, at)) continue;
				found.push(`${name}: ${JSON.stringify(text.slice(Math.max(0, at - 150), at + 60))}`);
				// Skip the rest of the same secret.
				at += 60;
				break;
			}
		}
		return found;
	}
}
