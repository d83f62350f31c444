import { crypto, fs, path } from './node';

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

/** The forms in which servers and proxies may echo a text. */
export const echoForms = (text: string): Record<string, string> => ({
	plain: text,
	upper: text.toUpperCase(),
	lower: text.toLowerCase(),
	url: encodeURIComponent(text),
	json: JSON.stringify(text).slice(1, -1),
	unicode: text.replace(
		/[^a-z0-9]/gi,
		(sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
	),
	html: text
		.replace(/&/g, '&amp;')
		.replace(/</g, '&lt;')
		.replace(/"/g, '&quot;')
		.replace(/'/g, '&#x27;')
		.replace(/\//g, '&#47;'),
	base64: Buffer.from(text).toString('base64'),
	base64Behind: Buffer.from(`key=${text}`).toString('base64'),
	base64Url: Buffer.from(`:${text}`).toString('base64url'),
	hex: Buffer.from(text).toString('hex'),
	start: `${text.slice(0, -5)}…`,
	end: `...${text.slice(5)}`,
	middle: `…${text.slice(4, -4)}…`,
	half: text.slice(3, 3 + partOf(text)),
	zeros: text.replace(/[^a-z0-9]/gi, (sign) => `&#0000${sign.charCodeAt(0)};`),
	colons: Buffer.from(text).toString('hex').replace(/../g, '$&:'),
	utf16: Buffer.from(text, 'utf16le').toString('base64'),
});

/**
 * The text as it is and a few of its other forms, each text the next few. For tests of the places in which an echo may
 * show up: that every form is masked is tested where masking is.
 */
export function echoFormsInTurn(): (text: string) => Record<string, string> {
	let turn = 0;
	return (text) => {
		const { plain, ...others } = echoForms(text);
		const names = Object.keys(others);
		const shown = Array.from({ length: FORMS_AT_ONCE }, () => names[turn++ % names.length]!);
		return { plain: plain!, ...Object.fromEntries(shown.map((name) => [name, others[name]!])) };
	};
}

const FORMS_AT_ONCE = 3;

const lower = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Finds parts of secrets in texts, in every encoding of `echoForms`. */
export class Search {
	private readonly parts = new Map<string, Map<string, string>>();

	/** @param secrets by their names */
	constructor(secrets: Readonly<Record<string, string>>) {
		for (const [name, secret] of Object.entries(secrets)) {
			const { plain, url, json, unicode, html, hex } = echoForms(secret);
			const part = partOf(secret);
			for (const form of [plain, url, json, unicode, html]) this.add(name, form!, part);
			this.add(name, hex!, 2 * part);
			for (const before of [0, 1, 2]) {
				const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
				for (const form of [bytes.toString('base64'), bytes.toString('base64url')])
					this.add(name, form.replace(/=+$/, '').slice(before + 1, -1), Math.ceil(1.5 * part));
			}
		}
	}

	private add(name: string, form: string, length: number): void {
		const letters = lower(form);
		for (let from = 0; from + length <= letters.length; from++) {
			const part = letters.slice(from, from + length);
			const begin = part.slice(0, 4);
			const parts = this.parts.get(begin) ?? new Map<string, string>();
			this.parts.set(begin, parts.set(part, name));
		}
	}

	/** All findings, each with the secret's name and the text around it. */
	in(text: string): string[] {
		const letters = lower(text);
		const found: string[] = [];
		for (let at = 0; at < letters.length; at++) {
			const parts = this.parts.get(letters.slice(at, at + 4));
			if (parts === undefined) continue;
			for (const [part, name] of parts) {
				if (!letters.startsWith(part, at)) continue;
				found.push(`${name}: ${JSON.stringify(text.slice(Math.max(0, at - 150), at + 60))}`);
				// Skip the rest of the same secret.
				at += 60;
				break;
			}
		}
		return found;
	}

	/** The same in every file below a folder. */
	inFiles(folder: string): string[] {
		return fs
			.readdirSync(folder, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.flatMap((entry) => {
				const file = path.join(entry.parentPath, entry.name);
				return this.in(fs.readFileSync(file, 'latin1')).map((hit) => `${entry.name}: ${hit}`);
			});
	}
}
