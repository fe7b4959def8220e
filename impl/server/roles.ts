/** Who may do what: four roles, and which of them a request needs. Mirrors no spec module. */
import type { Operation } from '../wire/request.ts';
import type { HttpRole } from './http-role.ts';

export const ROLES = ['read', 'write', 'admin', 'dx'] as const;
export type Role = (typeof ROLES)[number];

/** What a holder of the role may do besides. */
const INCLUDED: Readonly<Record<Role, readonly Role[]>> = {
  read: [],
  write: ['read'],
  admin: ['read', 'write', 'dx'],
  dx: [],
};

/** What a request over the binary protocol needs. */
export const OPERATION_ROLES: Readonly<Record<Operation, HttpRole>> = {
  append: 'write',
  'register-session': 'write',
  read: 'read',
  'list-streams': 'read',
  'lookup-key': 'read',
  status: 'read',
  'create-stream': 'admin',
  'delete-stream': 'admin',
};

export function isRole(text: unknown): text is Role {
  return ROLES.some((role) => role === text);
}

export function grants(held: readonly Role[], needed: Role): boolean {
  return held.some((role) => role === needed || INCLUDED[role].includes(needed));
}
